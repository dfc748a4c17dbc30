/** Getting workers and state together: at the start, after a restart, and when all that held the state are gone. */
import { piecewiseDigest } from '../../run/checkpoint/piecewise-digest.js';
import { coded, reasonOf, type VitrailError } from '../../errors/errors.js';
import type { Body } from '../../wire/codec.js';
import type { Cluster } from '../cluster.js';
import { nextRollback, isWithoutProgress, type Rollback } from './rollback.js';
import type { Journal } from '../../run/journal/journal.js';
import { savedIn, type RunDefinition, type RunOpening } from './run-opening.js';
import { startingPoint, type StartingPoint } from '../../run/folder/starting-point.js';
import { agreedState, StateDiscredited } from './state-audit.js';
import type { RunPosition } from './state-source.js';
import type { TrainingProgress } from '../trainer.js';

/** Workers that wait for their coordinator look for it every two seconds at most. */
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
  /** The state that the coordinator itself can give, of the step where the run starts. */
  #start: StartingPoint | null;
  /** Sums from before a restart count, and workers from before it may come back, until something is planned. */
  #restarted: boolean;
  /** It waits for all workers that it was planned for; once begun it goes on as soon as there are enough. */
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

  /** Where a worker that says hello finds the run. */
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
   * Nobody holds the state any more, or what they hold is wrong: the run rolls back to its newest checkpoint, and all
   * join again.
   * @throws NO_PROGRESS; as `startingPoint`
   */
  async rollBack({ cluster, journal }: RendezvousServices, cause: Error): Promise<void> {
    const { host, config, manifest, spec, layout, warn } = this.#definition;
    const { step: reached } = this.#progress.state;
    const reason = reasonOf(cause);
    cluster.note({ kind: 'back', text: `${reason}: rolling back to the newest checkpoint` });
    const resumed = { ...config, resume: true };
    const start = await startingPoint(host.disk, resumed, manifest, spec, layout, warn);
    const { step } = start.state;
    this.#rollback = nextRollback(this.#rollback, step, reached);
    if (isWithoutProgress(this.#rollback)) throw coded('NO_PROGRESS', { ...this.#rollback, reason });
    const discredited = cause instanceof StateDiscredited;
    // Also who sleeps now, and comes back when the run has come to the step of its state again.
    if (discredited) this.#distrusted = { after: step, upTo: Math.max(reached, this.#distrusted?.upTo ?? 0) };
    this.#progress.state = start.state;
    this.#progress.lastCommit = null;
    this.#progress.saved = savedIn(start);
    await journal.rollback(start.state, start.backend);
    this.#startFrom(start);
    if (discredited) for (const worker of cause.odd) cluster.expel(worker, cause.reason.message);
    cluster.rejoinAll(`the run rolls back to step ${step}`);
  }

  /** The last that held the state have left it in a checkpoint: whoever comes takes it from there. */
  async takeOver(services: RendezvousServices): Promise<void> {
    const { host, config, manifest, spec, layout, warn } = this.#definition;
    const { step } = this.#progress.state;
    const { cluster } = services;
    cluster.note({
      kind: 'waiting',
      text: `step ${step} waits: its state is in a checkpoint, nobody holds it`,
    });
    const resumed = { ...config, resume: true };
    const start = await startingPoint(host.disk, resumed, manifest, spec, layout, warn);
    if (start.state.step !== step) return this.rollBack(services, coded('STATE_LOST', { step }));
    this.#startFrom(start);
    cluster.rejoinAll(`the state of step ${step} is in a checkpoint`);
  }

  /**
   * Gives all workers the state of an earlier checkpoint, to be looked at once the run is over.
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

  /** Enough workers for a step, one of them with the state: the others take it from that one. */
  #present(cluster: Cluster, expected: number): boolean {
    return cluster.ready.length >= expected && cluster.holders(this.#progress.state.step).length > 0;
  }

  /**
   * Waits for workers of the interrupted run; where none comes that holds its state, and the coordinator has it not
   * either, the run rolls back.
   * @returns false when interrupted
   */
  async #returned(services: RendezvousServices): Promise<boolean> {
    const { cluster, interrupted } = services;
    const { config, warn } = this.#definition;
    const { step } = this.#progress.state;
    // What it starts with is given to anybody.
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
