/**
 * Checks the invariants of plans, whichever coordinator made them, and of the workers' computing for them.
 */
import type { Body } from '../wire/codec.js';

/** The plan of a step in one generation. */
interface Round {
  readonly step: number;
  /** The fields that are equal in all messages of the round. */
  readonly common: string;
  readonly samples: number;
  readonly exponents: string;
  readonly ring: readonly number[];
  /** Plans by worker, of the workers that were told. */
  readonly assignments: Map<number, Assigned>;
}

interface Assigned {
  readonly indexes: readonly number[];
  /** Whether the worker has to take the state from a peer, so that its sum is empty. */
  readonly withoutState: boolean;
  readonly samples: number;
}

export class PlanVerdicts {
  readonly #violated: (text: string) => void;
  readonly #rounds = new Map<string, Round>();
  /** The newest round and the one before it, as long as the same coordinator works on the same step. */
  #newest: Round | null = null;
  #before: Round | null = null;
  /** Numbers of workers by connection. */
  readonly #workers = new Map<string, number>();
  /** The micro-batches that a process has computed for a step and its exponents since it last joined. */
  readonly #computed = new Set<string>();

  constructor(violated: (text: string) => void) {
    this.#violated = violated;
  }

  /** A new coordinator does not know earlier rounds. */
  started(): void {
    this.#newest = null;
    this.#before = null;
  }

  /** A worker becomes a member on a connection. */
  welcomed(peer: string, { worker }: Body<'welcome'>): void {
    this.#workers.set(peer, worker);
  }

  /**
   * The worker behind `peer` is told a plan.
   * @param expected the step after the last commit; null if the run may begin anywhere
   */
  planned(peer: string, plan: Body<'stepPlan'>, expected: number | null): void {
    const { step, generation, samples, ring, learningRate } = plan;
    if (expected !== null && step !== expected) {
      this.#violated(`step ${step} is planned where step ${expected} is to come`);
    }
    const exponents = plan.exponents.join();
    const common = JSON.stringify([samples, learningRate, exponents, ring]);
    const key = `${step}/${generation}`;
    const known = this.#rounds.get(key);
    const round: Round = known ?? {
      step,
      common,
      samples,
      exponents,
      ring: ring.map(({ worker }) => worker),
      assignments: new Map(),
    };
    this.#rounds.set(key, round);
    const worker = this.#workers.get(peer) ?? -1;
    if (round.common !== common || round.assignments.has(worker) || !round.ring.includes(worker)) {
      this.#violated(`two plans of step ${step} in generation ${generation} disagree`);
      return;
    }
    const now: Assigned = {
      indexes: plan.microBatches.map(({ index }) => index),
      withoutState: plan.statePeers.length > 0,
      samples: plan.microBatches.reduce((sum, { samples: list }) => sum + list.length, 0),
    };
    round.assignments.set(worker, now);
    if (this.#newest !== round) this.#before = this.#newest;
    this.#newest = round;
    this.#keeps(round, worker, now);
  }

  /** A step is committed: every micro-batch was planned for exactly one worker of the ring. */
  committed(step: number, generation: number): void {
    const round = this.#rounds.get(`${step}/${generation}`);
    this.started();
    if (round === undefined || round.assignments.size < round.ring.length) {
      this.#violated(`step ${step} is committed in generation ${generation}, which was not planned`);
      return;
    }
    const all = [...round.assignments.values()];
    const indexes = all.flatMap((given) => given.indexes).sort((a, b) => a - b);
    const samples = all.reduce((sum, given) => sum + given.samples, 0);
    if (samples !== round.samples || indexes.some((index, i) => index !== i)) {
      this.#violated(`the sum of step ${step} holds the micro-batches ${indexes.join(' ')}`);
    }
  }

  /** A member computes a micro-batch, which it may do only once, however often the step is planned again. */
  computed(place: string, step: number, microBatch: number, exponents: string): void {
    const key = `${place} ${step} ${microBatch} ${exponents}`;
    if (this.#computed.has(key)) {
      this.#violated(`${place} computes micro-batch ${microBatch} of step ${step} again`);
    }
    this.#computed.add(key);
  }

  /**
   * If a step is planned again, a worker that goes on with it must keep the micro-batches that it was given.
   */
  #keeps(round: Round, worker: number, now: Assigned): void {
    const before = this.#before;
    if (before?.step !== round.step || before.exponents !== round.exponents || now.withoutState) return;
    const earlier = before.assignments.get(worker)?.indexes ?? [];
    const lost = earlier.filter((index) => !now.indexes.includes(index));
    if (lost.length > 0) {
      this.#violated(`worker ${worker} loses the micro-batches ${lost.join(' ')} of step ${round.step}`);
    }
  }
}
