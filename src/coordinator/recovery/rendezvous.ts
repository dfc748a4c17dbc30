/**
 * Brings workers and state together: at the start, after a restart, and when all workers that held the state
 * are gone.
 */
import { piecewiseDigest } from '../../run/checkpoint/piecewise-digest.js';
import { coded, reasonOf, type VitrailError } from '../../errors/errors.js';
import type { Body } from '../../wire/codec.js';
import type { Cluster } from '../cluster.js';
import { nextRollback, isWithoutProgress, type Rollback } from './rollback-limit.js';
import type { Journal } from '../../run/journal/journal.js';
import { savedIn, type RunDefinition, type RunOpening } from './run-opening.js';
import { startingPoint, type StartingPoint } from '../../run/folder/starting-point.js';
import { agreedState, StateDiscredited } from './state-audit.js';
import type { RunPosition } from './state-source.js';
import type { TrainingProgress } from '../trainer.js';

/**
 * Time for the workers of an interrupted run to come back. They look for their coordinator every two seconds
 * or more often.
 */
const RETURN_TIMEOUT_MS = 15_000;

export interface RendezvousServices {
  readonly cluster: Cluster;
  readonly journal: Journal;
  /** True ends a wait. */
  readonly interrupted: () => boolean;
}

export class Rendezvous {
  readonly #definition: RunDefinition;
  readonly #opening: RunOpening;
  readonly #progress: TrainingProgress;
  /** The state that the coordinator itself can give: that of the step where the run starts. */
  #start: StartingPoint | null;
  /** After a restart, until something is planned: workers from before may come back, and their sums count. */
  #restarted: boolean;
  /**
   * Whether the run has begun. Before, it waits for `--workers`, afterwards for one, unless `--min-workers`
   * says how many.
   */
  #begun: boolean;
  #backend: string | null;
  #rollback: Rollback | null = null;
  #distrusted: { readonly after: number; readonly upTo: number } | null = null;

  constructor(definition: RunDefinition, opening: RunOpening, progress: TrainingProgress) {
    this.#definition = definition;
    this.#opening = opening;
    this.#progress = progress;
    this.#start = opening.start;
    this.#restarted = opening.interrupted;
    this.#begun = opening.interrupted && opening.state.step > 0;
    this.#backend = opening.backend;
  }

  /** How far the run is, for a worker that says hello. */
  position(): RunPosition {
    const { state, lastCommit } = this.#progress;
    const start = this.#start?.state.step === state.step ? this.#start : null;
    const own = start && { pullParts: [...start.parts.keys()], initialise: start.parts.size === 0 };
    const { runToken } = this.#opening;
    const distrusted = this.#distrusted;
    return { runToken, step: state.step, lastCommit, own, keepSums: this.#restarted, distrusted };
  }

  offer(part: string): Uint8Array | undefined {
    return this.#start?.parts.get(part);
  }

  /** All workers of a run compute with the same backend: that of the checkpoint, or of the first worker. */
  refuses({ backend }: Body<'ready'>): VitrailError | null {
    this.#backend ??= backend;
    return backend === this.#backend
      ? null
      : coded('BACKEND_MISMATCH', { worker: backend, run: this.#backend });
  }

  /**
   * Waits for the workers that the run starts with, and checks that they hold the right state.
   * @returns false when interrupted
   * @throws WORKERS_MISSING, RUN_INTERRUPTED, NO_PROGRESS; as `agreedState`
   */
  async complete(services: RendezvousServices): Promise<boolean> {
    const { cluster, journal, interrupted } = services;
    if (this.#restarted && !(await this.#returned(services))) return false;
    const { config } = this.#definition;
    const expected = config.minWorkers ?? (this.#begun ? 1 : config.workers);
    const enough = (): boolean => this.#present(cluster, expected);
    const end = await cluster.until(() => enough() || interrupted(), config.joinTimeoutMs);
    if (end === 'late') {
      throw coded('WORKERS_MISSING', {
        joined: cluster.ready.length,
        expected,
        waitedMs: config.joinTimeoutMs,
      });
    }
    if (!enough()) return false;
    cluster.start();
    if (this.#backend !== null) await journal.backend(this.#backend);
    const wanted = new Map<string, string>();
    for (const [part, bytes] of this.#start?.parts ?? []) {
      wanted.set(
        part,
        Buffer.from(await piecewiseDigest(this.#definition.host.clock, bytes)).toString('hex'),
      );
    }
    const { state, agreed } = this.#progress;
    const { step } = state;
    await agreedState(cluster, { step, agreed, timeoutMs: config.stepTimeoutMs, expected: wanted });
    this.#progress.agreed = step;
    this.#restarted = false;
    this.#begun = true;
    return true;
  }

  /**
   * Rolls the run back to its newest checkpoint, because no worker holds the state any more, or what they
   * hold is wrong. All workers join again.
   * @throws NO_PROGRESS; as `startingPoint`
   */
  async rollBack({ cluster, journal }: RendezvousServices, cause: Error): Promise<void> {
    const { step: reached } = this.#progress.state;
    const reason = reasonOf(cause);
    cluster.note({ kind: 'back', text: `${reason}: rolling back to the newest checkpoint` });
    const start = await this.#newestCheckpoint();
    const { step } = start.state;
    this.#rollback = nextRollback(this.#rollback, step, reached);
    if (isWithoutProgress(this.#rollback)) throw coded('NO_PROGRESS', { ...this.#rollback, reason });
    const discredited = cause instanceof StateDiscredited;
    // A worker that sleeps now may come back with its wrong state when the run has reached that step again.
    if (discredited) this.#distrusted = { after: step, upTo: Math.max(reached, this.#distrusted?.upTo ?? 0) };
    this.#progress.state = start.state;
    this.#progress.lastCommit = null;
    this.#progress.saved = savedIn(start);
    await journal.rollback(start.state, start.backend);
    this.#startFrom(start);
    if (discredited) for (const worker of cause.odd) cluster.expel(worker, cause.reason.message);
    cluster.rejoinAll(`the run rolls back to step ${step}`);
  }

  async #newestCheckpoint(): Promise<StartingPoint> {
    const config = { ...this.#definition.config, resume: true };
    return startingPoint({ ...this.#definition, config });
  }

  /**
   * The last workers that held the state have left, and it is in a checkpoint: workers that join take it from
   * there.
   */
  async takeOver(services: RendezvousServices): Promise<void> {
    const { step } = this.#progress.state;
    const { cluster } = services;
    cluster.note({
      kind: 'waiting',
      text: `step ${step} waits for workers: its state is in a checkpoint, and no worker holds it`,
    });
    const start = await this.#newestCheckpoint();
    if (start.state.step !== step) return this.rollBack(services, coded('STATE_LOST', { step }));
    this.#startFrom(start);
    cluster.rejoinAll(`the state of step ${step} is in a checkpoint`);
  }

  /**
   * Gives all workers the state of an earlier checkpoint, to test it after the run is over.
   * @returns false when interrupted
   */
  async show(services: RendezvousServices, start: StartingPoint): Promise<boolean> {
    const { cluster, interrupted } = services;
    const workers = cluster.ready.length;
    const { step } = start.state;
    this.#progress.state = start.state;
    this.#progress.lastCommit = null;
    this.#startFrom(start);
    cluster.rejoinAll(`the state of step ${step} is tested`);
    await cluster.until(() => this.#present(cluster, workers) || interrupted(), RETURN_TIMEOUT_MS);
    return this.complete(services);
  }

  #startFrom(start: StartingPoint): void {
    this.#start = start;
    this.#backend = start.backend;
    this.#progress.agreed = start.state.step;
    this.#restarted = false;
    this.#begun = true;
  }

  /**
   * Whether there are enough workers for a step, one of them with the state, from which the others take it.
   */
  #present(cluster: Cluster, expected: number): boolean {
    return cluster.ready.length >= expected && cluster.holders(this.#progress.state.step).length > 0;
  }

  /**
   * Waits for workers of the interrupted run. If none comes that holds its state, and the coordinator does
   * not have it either, the run rolls back.
   * @returns false when interrupted
   */
  async #returned(services: RendezvousServices): Promise<boolean> {
    const { cluster, interrupted } = services;
    const { config, warn } = this.#definition;
    const { step } = this.#progress.state;
    // The coordinator gives the initial state to every worker, so there is no need to wait for old ones.
    if (step === 0 && this.#start !== null) return true;
    warn(`the run was interrupted at step ${step}: waiting for its workers`);
    const all = this.#opening.lastCommit?.ring.length ?? 1;
    await cluster.until(() => this.#present(cluster, all) || interrupted(), RETURN_TIMEOUT_MS);
    if (interrupted()) return false;
    if (this.#start !== null || cluster.holders(step).length > 0) return true;
    if (!config.resume) {
      throw coded('RUN_INTERRUPTED', { path: config.out, step, waitedMs: RETURN_TIMEOUT_MS });
    }
    await this.rollBack(services, new Error('no worker has come back'));
    return true;
  }
}
