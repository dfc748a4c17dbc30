/** Takes a run's state from a worker and keeps it in the run folder. */
import type { RunConfig } from '../shared/config/schema.js';
import { prune, writeBest } from '../shared/checkpoint/checkpoint-store.js';
import { writeCheckpoint } from '../shared/checkpoint/checkpoint-writer.js';
import { piecewiseDigest } from '../shared/checkpoint/piecewise-digest.js';
import { weightDigest } from '../shared/checkpoint/weight-digest.js';
import { coded } from '../shared/errors.js';
import type { ParameterLayout } from '../shared/model/parameter-layout.js';
import type { Cluster } from './cluster.js';
import type { TrainingObserver } from './observer.js';
import type { StoredRun } from './run-checkpoint.js';
import type { RunState } from './run-state.js';
import { agreedState } from './state-audit.js';

export interface CheckpointContents {
  readonly config: RunConfig;
  readonly classes: readonly string[];
  readonly manifestDigest: string;
}

export class CheckpointKeeper {
  readonly #cluster: Cluster;
  readonly #contents: CheckpointContents;
  readonly #layout: ParameterLayout;
  readonly #observer: TrainingObserver;
  readonly #elapsedSeconds: () => number;
  #last: { readonly path: string; readonly digest: string } | null = null;

  constructor(
    cluster: Cluster,
    contents: CheckpointContents,
    layout: ParameterLayout,
    observer: TrainingObserver,
    elapsedSeconds: () => number,
  ) {
    this.#cluster = cluster;
    this.#contents = contents;
    this.#layout = layout;
    this.#observer = observer;
    this.#elapsedSeconds = elapsedSeconds;
  }

  /** The newest checkpoint since the coordinator started: path and digest of its weights. */
  get last(): { readonly path: string; readonly digest: string } | null {
    return this.#last;
  }

  /** Saves the state all workers hold now. @throws CHECKPOINT_WRITE_FAILED, STATE_MISMATCH, WORKER_LOST */
  async save(state: RunState, best: boolean): Promise<void> {
    const startMs = performance.now();
    const held = await agreedState(this.#cluster, state.step, this.#contents.config.stepTimeoutMs);
    const parts = new Map<string, Float32Array>();
    for (const [part, digest] of held) parts.set(part, await this.#pull(state.step, part, digest));
    const { weights, ...slots } = Object.fromEntries(parts);
    if (weights === undefined) throw coded('INTERNAL', { reason: 'workers hold no weights' });
    const { config, classes, manifestDigest } = this.#contents;
    const backend = this.#cluster.members[0]?.ready?.backend ?? '';
    const stored = { ...state, elapsedSeconds: this.#elapsedSeconds() };
    const path = await writeCheckpoint(config.out, {
      step: state.step,
      layout: this.#layout,
      weights,
      slots,
      state: { run: stored, config, classes, manifestDigest, backend } satisfies StoredRun,
    });
    if (best && state.best !== null) {
      const { testAccuracy: value } = state.best;
      await writeBest(config.out, { step: state.step, metric: 'test-accuracy', value });
    }
    await prune(config.out, config.keepLast);
    const digest = weightDigest(weights);
    this.#last = { path, digest };
    const ms = performance.now() - startMs;
    this.#observer.onCheckpoint({ step: state.step, path, ms, weightDigest: digest });
  }

  /** A part from the first worker; the digest covers the way here as well. */
  async #pull(step: number, part: string, digest: string): Promise<Float32Array> {
    const worker = this.#cluster.workers[0]!;
    const bytes = await this.#cluster.pull(worker, part);
    if (Buffer.from(piecewiseDigest(bytes)).toString('hex') !== digest) {
      throw coded('STATE_MISMATCH', { worker, part, step });
    }
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }
}
