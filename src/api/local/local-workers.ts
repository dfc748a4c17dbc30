/** Worker processes on this machine, started and ended together with the process that runs them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { workerEnd } from './worker-end.js';
import { counted } from '../../errors/wording.js';
import { COMMAND_LINE } from '../../host/programs.js';
import { threadsOfWorker } from './placement.js';

export interface LocalWorkersOptions {
  readonly count: number;
  readonly coordinator: string;
  /** Threads of each worker's native kernels; 0 shares this machine's processors among the workers. */
  readonly threads: number;
  /** The --device of a worker. */
  readonly deviceOf: (index: number) => string;
  readonly logLevel: string;
  /** Each worker writes to worker-K.log there. */
  readonly logDir: string;
  /** How many processes may be started in place of failed ones, over the whole run. */
  readonly maxRestarts: number;
  /**
   * Called when a worker's process ends. `left` is the number of others that run or will be started, its replacement
   * included.
   * @returns whether the run can use a replacement
   */
  readonly onExit: (pid: number, reason: string, left: number) => boolean;
  readonly onRestart: (text: string) => void;
}

/** Bytes of the end of a worker's log. The stack that V8 writes when its heap is full has about 5,000. */
const READ_BYTES = 65_536;
/** Exit codes of workers that ended because the coordinator or a person asked them to. */
const GOOD_CODES: readonly (number | null)[] = [0, 130, 143];
const GOOD_SIGNALS: readonly (string | null)[] = ['SIGINT', 'SIGTERM'];

export class LocalWorkers {
  readonly #options: LocalWorkersOptions;
  readonly #running = new Set<ChildProcess>();
  #restarts = 0;
  #stopping = false;
  #onEmpty: (() => void) | null = null;

  constructor(options: LocalWorkersOptions) {
    this.#options = options;
    for (let i = 0; i < options.count; i++) this.#start(i);
  }

  /** Waits for all to end by themselves for `graceMs`, then ends them. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#running.size === 0) return;
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    const timer = setTimeout(() => this.kill(), graceMs);
    await empty;
    clearTimeout(timer);
  }

  kill(): void {
    this.#stopping = true;
    for (const child of this.#running) child.kill('SIGKILL');
  }

  #start(index: number): void {
    const { child, said } = startWorker(this.#options, index);
    this.#running.add(child);
    child.once('error', (error) => this.#ended(child, index, error.message, true));
    child.once('exit', (code, signal) => {
      const reason = workerEnd({ code, signal }, said());
      const failed = signal === null ? !GOOD_CODES.includes(code) : !GOOD_SIGNALS.includes(signal);
      this.#ended(child, index, reason, failed);
    });
  }

  #ended(child: ChildProcess, index: number, reason: string, failed: boolean): void {
    if (!this.#running.delete(child)) return;
    const { onExit, onRestart, maxRestarts } = this.#options;
    const again = failed && !this.#stopping && this.#restarts < maxRestarts;
    const wanted = onExit(child.pid ?? 0, reason, this.#running.size + (again ? 1 : 0));
    if (again && wanted) {
      const left = maxRestarts - ++this.#restarts;
      onRestart(
        `worker process ${child.pid}: ${reason}; another is started in its place (${counted(left, 'more time')})`,
      );
      this.#start(index);
    }
    if (this.#running.size === 0) this.#onEmpty?.();
  }
}

interface StartedWorker {
  readonly child: ChildProcess;
  /** The length of its log so far. */
  readonly said: () => string;
}

function startWorker(options: LocalWorkersOptions, index: number): StartedWorker {
  const path = join(options.logDir, `worker-${index}.log`);
  const log = openSync(path, 'a');
  const { size } = fstatSync(log);
  const threads = threadsOfWorker(options.threads, options.count, availableParallelism());
  const args = [
    ...['worker', '--coordinator', options.coordinator, '--log-level', options.logLevel],
    ...['--threads', String(threads), '--device', options.deviceOf(index)],
    ...['--place', String(index)],
  ];
  const child = spawn(process.execPath, [COMMAND_LINE, ...args, '--supervised'], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return { child, said: () => textFrom(path, size) };
}

/**
 * The end of the log from `start` on. Empty if it cannot be read, because a missing reason must not end a
 * run.
 */
function textFrom(path: string, start: number): string {
  try {
    const file = openSync(path, 'r');
    try {
      const from = Math.max(start, fstatSync(file).size - READ_BYTES);
      const bytes = Buffer.alloc(READ_BYTES);
      return bytes.subarray(0, readSync(file, bytes, 0, READ_BYTES, from)).toString();
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}
