/** Takes a run's state from a worker and keeps it in the run folder. */
import { join } from 'node:path';
import { CHECKPOINTS_FOLDER } from '../run/checkpoint/checkpoint-format.js';
import type { RunConfig } from '../run/config/schema.js';
import { prune, writeBest } from '../run/checkpoint/checkpoint-store.js';
import { writeCheckpoint } from '../run/checkpoint/checkpoint-writer.js';
import { piecewiseDigest } from '../run/checkpoint/piecewise-digest.js';
import { weightDigest } from '../run/checkpoint/weight-digest.js';
import { weightsMetadata } from '../run/checkpoint/weights-metadata.js';
import type { EvaluatedSplit } from '../run/dataset/manifest.js';
import { coded, VitrailError } from '../errors/errors.js';
import type { ModelSpec } from '../run/model/model-spec.js';
import type { ParameterLayout } from '../run/model/parameter-layout.js';
import type { Cluster } from './cluster.js';
import type { Host } from '../host/host.js';
import { whenThereIsSpace, type DiskWait } from '../host/disk-space.js';
import type { TrainingObserver } from './watch/observer.js';
import { checkpointState } from '../run/folder/run-checkpoint.js';
import { withSavedBest, type RunState } from '../run/journal/run-state.js';
import { agreedState } from './recovery/state-audit.js';

export interface CheckpointContents {
  readonly config: RunConfig;
  readonly spec: ModelSpec;
  readonly classes: readonly string[];
  readonly manifestDigest: string;
  /** The images by which the best checkpoint is chosen. */
  readonly chosenBy: EvaluatedSplit;
}

export interface SavedCheckpoint {
  readonly path: string;
  /** SHA-256 over the weights. */
  readonly digest: string;
}

export interface SaveOptions {
  /** The newest step after which all workers were known to hold the right state. */
  readonly agreed: number;
  /** What to do while the disk is full. Null: the save fails, with the disk's error as its cause. */
  readonly wait: DiskWait | null;
}

export class CheckpointKeeper {
  readonly #host: Host;
  readonly #cluster: Cluster;
  readonly #contents: CheckpointContents;
  readonly #layout: ParameterLayout;
  readonly #observer: TrainingObserver;
  readonly #elapsedSeconds: () => number;
  readonly #check: () => Promise<void>;
  #last: SavedCheckpoint | null = null;

  constructor(
    host: Host,
    cluster: Cluster,
    contents: CheckpointContents,
    layout: ParameterLayout,
    observer: TrainingObserver,
    elapsedSeconds: () => number,
    check: () => Promise<void>,
  ) {
    this.#host = host;
    this.#cluster = cluster;
    this.#contents = contents;
    this.#layout = layout;
    this.#observer = observer;
    this.#elapsedSeconds = elapsedSeconds;
    this.#check = check;
  }

  /** The newest checkpoint since the coordinator started: path and digest of its weights. */
  get last(): SavedCheckpoint | null {
    return this.#last;
  }

  /**
   * Saves the state all workers hold now. `best.json` names it afterwards, if it is the best so far.
   * @throws CHECKPOINT_WRITE_FAILED, RUN_TAKEN_OVER; as `agreedState`
   */
  async save(state: RunState, { agreed, wait }: SaveOptions): Promise<SavedCheckpoint> {
    const { clock, disk } = this.#host;
    const startMs = clock.now();
    const { stepTimeoutMs: timeoutMs } = this.#contents.config;
    const held = await agreedState(this.#cluster, { step: state.step, agreed, timeoutMs });
    const parts = new Map<string, Float32Array>();
    for (const [part, digest] of held) parts.set(part, await this.#pull(state.step, part, digest));
    const { weights, ...slots } = Object.fromEntries(parts);
    if (weights === undefined) throw coded('INTERNAL', { reason: 'workers hold no weights' });
    const { config, spec, classes, manifestDigest, chosenBy } = this.#contents;
    const backend = this.#cluster.ready[0]?.ready?.backend ?? '';
    const stored = { ...withSavedBest(state, state.step), elapsedSeconds: this.#elapsedSeconds() };
    const { best } = stored;
    const content = {
      step: state.step,
      layout: this.#layout,
      weights,
      slots,
      state: checkpointState({ run: stored, config, classes, manifestDigest, backend }),
      metadata: weightsMetadata(spec, config, classes),
    };
    const write = async (): Promise<string> => {
      const written = await writeCheckpoint(this.#host, config.out, content, this.#check);
      if (best?.step === state.step) {
        const metric = `${chosenBy}-accuracy`;
        const pointer = { step: best.step, metric, value: best.accuracy };
        await writeBest(this.#host, config.out, pointer, this.#check);
      }
      return written;
    };
    const path = await (wait === null
      ? write()
      : whenThereIsSpace(join(config.out, CHECKPOINTS_FOLDER), write, wait));
    await prune(disk, config.out, config.keepLast, this.#check);
    const digest = weightDigest(weights);
    this.#last = { path, digest };
    const ms = clock.now() - startMs;
    this.#observer.onCheckpoint({ step: state.step, path, ms, weightDigest: digest });
    return this.#last;
  }

  /**
   * Asks one worker after the other for a part until one gives it. The digest also finds damage in the
   * transfer.
   */
  async #pull(step: number, part: string, digest: string): Promise<Float32Array> {
    for (;;) {
      const worker = (await this.#cluster.someHolders(step))[0]!;
      try {
        const bytes = await this.#cluster.pull(worker, part, step);
        if (Buffer.from(await piecewiseDigest(this.#host.clock, bytes)).toString('hex') !== digest) {
          throw coded('STATE_MISMATCH', { worker, part, step });
        }
        return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      } catch (error) {
        if (!(error instanceof VitrailError) || this.#cluster.failed !== null) throw error;
        // The worker is gone, or its bytes do not match the digest that it gave. Another worker has the part
        // as well.
        this.#cluster.expel(worker, error.message);
      }
    }
  }
}
