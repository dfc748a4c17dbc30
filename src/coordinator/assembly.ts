/** Getting workers and state together: at the start, after a restart, and when all that held the state are gone. */
import { piecewiseDigest } from '../shared/checkpoint/piecewise-digest.js';
import { coded, type VitrailError } from '../shared/errors.js';
import type { Body } from '../shared/protocol/codec.js';
import type { Cluster } from './cluster.js';
import type { Journal } from './journal.js';
import type { RunMaterial, RunOpening } from './run-opening.js';
import { startingPoint, type StartingPoint } from './starting-point.js';
import { agreedState } from './state-audit.js';
import type { RunPosition } from './state-source.js';
import type { TrainingProgress } from './trainer.js';

/** Workers that wait for their coordinator look for it every two seconds at most. */
const RETURN_TIMEOUT_MS = 15_000;

export class Assembly {
  readonly #material: RunMaterial;
  readonly #opening: RunOpening;
  readonly #progress: TrainingProgress;
  /** The state that the coordinator itself can give, of the step where the run starts. */
  #start: StartingPoint | null;
  /** Sums from before a restart count until something is planned. */
  #restarted: boolean;
  #backend: string | null;

  constructor(material: RunMaterial, opening: RunOpening, progress: TrainingProgress) {
    this.#material = material;
    this.#opening = opening;
    this.#progress = progress;
    this.#start = opening.start;
    this.#restarted = opening.journal !== null && opening.journal.end === null;
    this.#backend = opening.start?.backend ?? null;
  }

  /** Where a worker that says hello finds the run. */
  position(): RunPosition {
    const { state, lastCommit } = this.#progress;
    const start = this.#start?.state.step === state.step ? this.#start : null;
    const own = start && { pullParts: [...start.parts.keys()], initialise: start.parts.size === 0 };
    const { runToken } = this.#opening;
    return { runToken, step: state.step, lastCommit, own, keepSums: this.#restarted };
  }

  offer(part: string): Uint8Array | undefined {
    return this.#start?.parts.get(part);
  }

  /** All workers of a run compute with the same backend: the first one's, or the checkpoint's. */
  refuses({ backend }: Body<'ready'>): VitrailError | null {
    this.#backend ??= backend;
    return backend === this.#backend
      ? null
      : coded('BACKEND_MISMATCH', { worker: backend, run: this.#backend });
  }

  /**
   * Waits for the workers that the run starts with and holds them to the state they should have.
   * @returns false when interrupted
   * @throws WORKERS_MISSING, RUN_INTERRUPTED, STATE_MISMATCH
   */
  async complete(cluster: Cluster, interrupted: () => boolean): Promise<boolean> {
    if (this.#start === null && !(await this.#survivors(cluster, interrupted))) return false;
    const { config } = this.#material;
    const { step } = this.#progress.state;
    // Survivors go on as soon as there are enough of them; else the run starts with the workers it was planned for.
    const expected = config.minWorkers ?? (this.#start === null ? 1 : config.workers);
    const present = (): number => cluster.holders(step).length;
    const end = await cluster.until(() => present() >= expected || interrupted(), config.joinTimeoutMs);
    if (end === 'late') {
      throw coded('WORKERS_MISSING', { joined: present(), expected, waitedMs: config.joinTimeoutMs });
    }
    if (present() < expected) return false;
    cluster.start();
    const wanted = new Map<string, string>();
    for (const [part, bytes] of this.#start?.parts ?? []) {
      wanted.set(part, Buffer.from(piecewiseDigest(bytes)).toString('hex'));
    }
    await agreedState(cluster, { step, timeoutMs: config.stepTimeoutMs, expected: wanted });
    this.#restarted = false;
    return true;
  }

  /** Nobody holds the state any more: the run goes back to its newest checkpoint, and all join again. */
  async goBack(cluster: Cluster, journal: Journal, reason: string): Promise<void> {
    const { config, manifest, spec, layout, warn } = this.#material;
    cluster.note({ kind: 'back', text: `${reason}: going back to the newest checkpoint` });
    const start = await startingPoint({ ...config, resume: true }, manifest, spec, layout, warn);
    this.#start = start;
    this.#progress.state = start.state;
    this.#progress.lastCommit = null;
    this.#progress.saved = start.fromCheckpoint ? start.state.step : -1;
    await journal.back(start.state);
    cluster.disband(`the run goes back to step ${start.state.step}`);
  }

  /** Waits for workers of the interrupted run that hold its state. @returns false when interrupted */
  async #survivors(cluster: Cluster, interrupted: () => boolean): Promise<boolean> {
    const { config, manifest, spec, layout, warn } = this.#material;
    const { step } = this.#progress.state;
    warn(`the run was interrupted at step ${step}: waiting for its workers`);
    const all = Math.max(1, this.#opening.lastCommit?.ring.length ?? 1);
    const present = (): number => cluster.holders(step).length;
    await cluster.until(() => present() >= all || interrupted(), RETURN_TIMEOUT_MS);
    if (interrupted()) return false;
    if (present() > 0) return true;
    if (!config.resume) {
      throw coded('RUN_INTERRUPTED', { path: config.out, step, waitedMs: RETURN_TIMEOUT_MS });
    }
    cluster.note({ kind: 'back', text: 'no worker has come back: going back to the newest checkpoint' });
    this.#start = await startingPoint(config, manifest, spec, layout, warn);
    this.#progress.state = this.#start.state;
    this.#progress.lastCommit = null;
    this.#progress.saved = this.#start.fromCheckpoint ? this.#start.state.step : -1;
    cluster.disband(`the run goes back to step ${this.#start.state.step}`);
    return true;
  }
}
