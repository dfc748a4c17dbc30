/** The training thread's side of the image loader, whose own thread prepares micro-batches ahead. */
import { Worker } from 'node:worker_threads';
import { coded, reasonOf, revivedError } from '../../errors/errors.js';
import { LOADER_THREAD } from '../../host/programs.js';
import type { FromLoaderThread, ToLoaderThread } from './loader-messages.js';
import {
  requestKey,
  type BatchRequest,
  type BatchSource,
  type LoaderStatistics,
  type MicroBatch,
} from './micro-batch.js';

export interface LoaderOptions {
  /** How many micro-batches may be prepared, or in preparation, before they are taken. */
  readonly maxAhead: number;
  /** Longest wait for one micro-batch. */
  readonly timeoutMs: number;
}

/** How long close() waits for decodes under way before it ends the thread. */
const CLOSE_TIMEOUT_MS = 10_000;

interface Job {
  readonly id: number;
  readonly result: Promise<MicroBatch>;
  readonly resolve: (batch: MicroBatch) => void;
  readonly reject: (error: Error) => void;
  ready: boolean;
}

function newJob(id: number): Job {
  let resolve: Job['resolve'] = () => undefined;
  let reject: Job['reject'] = () => undefined;
  const result = new Promise<MicroBatch>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  // If it fails before anybody takes the micro-batch, take() reports the failure.
  result.catch(() => undefined);
  return { id, result, resolve, reject, ready: false };
}

export class Loader {
  readonly #options: LoaderOptions;
  readonly #thread: Worker;
  readonly #exited: Promise<void>;
  /** Requests that were sent to the thread and are not answered, by id. */
  readonly #open = new Map<number, Job>();
  /** Requests that were sent and whose micro-batch is not taken, by the text of the request. */
  readonly #ahead = new Map<string, Job>();
  /** Requests that will be wanted but are not sent yet, by the text of the request. */
  #planned = new Map<string, BatchRequest>();
  #statistics: LoaderStatistics = { decodedImages: 0, cacheHits: 0, cachedBytes: 0, busyMs: 0 };
  #stopped: Error | null = null;
  #nextId = 0;

  constructor(source: BatchSource, options: LoaderOptions) {
    this.#options = options;
    this.#thread = new Worker(LOADER_THREAD, { workerData: source });
    this.#thread.on('message', (answer: FromLoaderThread) => this.#receive(answer));
    this.#thread.on('error', (thrown) => this.#stop(reasonOf(thrown)));
    this.#exited = new Promise((resolve) => {
      this.#thread.once('exit', (exitCode) => {
        this.#stop(`its thread ended with exit code ${exitCode}`);
        resolve();
      });
    });
  }

  /** Micro-batches that are ready and not taken. */
  get ready(): number {
    let ready = 0;
    for (const job of this.#ahead.values()) if (job.ready) ready++;
    return ready;
  }

  /** The statistics that came with the thread's last answer. */
  get statistics(): LoaderStatistics {
    return this.#statistics;
  }

  /**
   * Says which micro-batches will be taken next, in this order. They are prepared ahead, `maxAhead` at a
   * time. The list replaces the one of the last call; a prepared micro-batch that is not in the new list is
   * dropped.
   */
  prefetch(requests: readonly BatchRequest[]): void {
    const wanted = new Map(requests.map((request) => [requestKey(request), request]));
    for (const [key, job] of this.#ahead) {
      if (wanted.delete(key)) continue;
      this.#ahead.delete(key);
      if (this.#open.delete(job.id)) this.#post({ kind: 'cancel', id: job.id });
    }
    this.#planned = wanted;
    this.#advance();
  }

  /**
   * The micro-batch of `request`, prepared or computed now; the caller owns its buffers.
   * Requests are the same if split, epoch, samples and augment are.
   * @throws DATA_BROKEN_IMAGE, DATA_UNREADABLE, DATA_LOADER_TIMEOUT, DATA_LOADER_STOPPED
   */
  async take(request: BatchRequest): Promise<MicroBatch> {
    const key = requestKey(request);
    const job = this.#ahead.get(key) ?? this.#start(request);
    this.#ahead.delete(key);
    this.#planned.delete(key);
    this.#advance();
    return this.#withTimeout(job, request);
  }

  /** Ends the thread. Micro-batches that were not delivered fail with DATA_LOADER_STOPPED. */
  async close(): Promise<void> {
    if (this.#stopped === null) {
      this.#post({ kind: 'close' });
      this.#stop('it was closed');
    }
    const timer = setTimeout(() => void this.#thread.terminate(), CLOSE_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #post(message: ToLoaderThread): void {
    this.#thread.postMessage(message);
  }

  #start(request: BatchRequest): Job {
    const job = newJob(this.#nextId++);
    if (this.#stopped === null) {
      this.#open.set(job.id, job);
      this.#post({ kind: 'build', id: job.id, request });
    } else {
      job.reject(this.#stopped);
    }
    return job;
  }

  #advance(): void {
    for (const [key, request] of this.#planned) {
      if (this.#ahead.size >= this.#options.maxAhead) return;
      this.#planned.delete(key);
      this.#ahead.set(key, this.#start(request));
    }
  }

  #receive({ id, outcome, statistics }: FromLoaderThread): void {
    this.#statistics = statistics;
    const job = this.#open.get(id);
    if (job === undefined) return;
    this.#open.delete(id);
    job.ready = true;
    if ('error' in outcome) {
      job.reject(revivedError(outcome.error));
    } else if (outcome.batch !== null) {
      job.resolve(outcome.batch);
    }
  }

  #stop(reason: string): void {
    this.#stopped ??= coded('DATA_LOADER_STOPPED', { reason });
    for (const job of this.#open.values()) job.reject(this.#stopped);
    this.#open.clear();
    this.#planned.clear();
  }

  async #withTimeout(job: Job, { split, epoch, samples }: BatchRequest): Promise<MicroBatch> {
    const { timeoutMs } = this.#options;
    const timer = setTimeout(() => {
      // If the training thread computed for longer than the timeout, the answer may be there already, for the
      // event loop's next phase.
      setImmediate(() => {
        const batch = `samples ${samples.slice(0, 3).join(', ')} ... of ${split}, epoch ${epoch}`;
        job.reject(coded('DATA_LOADER_TIMEOUT', { batch, waitedMs: timeoutMs }));
      });
    }, timeoutMs);
    try {
      return await job.result;
    } finally {
      clearTimeout(timer);
    }
  }
}
