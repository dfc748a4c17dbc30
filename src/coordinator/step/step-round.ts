/** Decides on a round, one generation of a step: its ring, who holds the state, who computes what. Pure. */
import type { Member } from '../members/membership.js';
import type { MicroBatch } from './sampling.js';
import { planAssignment, type Assignment, type Speeds } from './step-planning.js';

export interface StepRound {
  readonly step: number;
  readonly generation: number;
  readonly exponents: Int32Array;
  /** Workers in ring order. */
  readonly ring: readonly number[];
  /** Workers of the ring that hold the state of the step; the others take it from them. */
  readonly holders: readonly number[];
  readonly assignment: Assignment;
}

type Taker = Pick<Member, 'worker' | 'state' | 'leaving' | 'holds'>;

export interface RoundInputs {
  readonly step: number;
  /** The generation of the last round and the workers in its ring; null if that ring is broken. */
  readonly last: { readonly generation: number; readonly ring: readonly number[] | null };
  readonly exponents: Int32Array;
  readonly microBatches: readonly MicroBatch[];
  /** All members that are ready. */
  readonly members: readonly Taker[];
  readonly speeds: Speeds;
  /** The round of this step before this one; null for the first. */
  readonly previous: StepRound | null;
}

function sameExponents(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((exponent, slot) => exponent === b[slot]);
}

function sameRing(a: readonly number[] | null, b: readonly number[]): boolean {
  return a?.length === b.length && a.every((worker, rank) => worker === b[rank]);
}

/**
 * The next round of a step. A ring that has just completed a step keeps its generation; any other ring gets a
 * new one. A worker that was in the round before keeps its micro-batches, computed or not, as long as the
 * exponents stay the same. The micro-batches of workers that are gone go to the others. A worker that wants
 * to leave takes no part in a new step.
 */
export function nextRound(inputs: RoundInputs): StepRound {
  const { step, last, exponents, microBatches, speeds, previous } = inputs;
  const before = new Set(previous?.ring);
  const takers = inputs.members
    .filter(({ worker, leaving }) => !leaving || before.has(worker))
    .sort((a, b) => a.worker - b.worker);
  const goesOn = previous !== null && sameExponents(previous.exponents, exponents);
  const keeps = ({ worker, holds }: Taker): readonly number[] => {
    if (previous === null) return holds;
    return goesOn ? (previous.assignment.get(worker) ?? []).map(({ index }) => index) : [];
  };
  const participants = takers.map((m) => ({
    worker: m.worker,
    hasState: m.state === step,
    keeps: keeps(m),
  }));
  const ring = takers.map(({ worker }) => worker);
  return {
    step,
    generation: previous === null && sameRing(last.ring, ring) ? last.generation : last.generation + 1,
    exponents,
    ring,
    holders: participants.filter(({ hasState }) => hasState).map(({ worker }) => worker),
    assignment: planAssignment(microBatches, participants, speeds),
  };
}

/**
 * The peers that `worker` may take the state from; none if it has the state. Joiners begin with different
 * peers, which spreads the load.
 */
export function statePeers({ ring, holders }: StepRound, worker: number): readonly number[] {
  if (holders.includes(worker) || holders.length === 0) return [];
  const joiner = ring.filter((w) => !holders.includes(w)).indexOf(worker);
  const start = joiner % holders.length;
  return [...holders.slice(start), ...holders.slice(0, start)];
}
