/** Compares what a worker has in its sum with what a plan asks for. Pure. */
import type { Body, MicroBatchAssignment } from '../wire/codec.js';

/**
 * The micro-batches in a sum, with the step and exponents, because sums with other exponents cannot be added.
 */
export interface HeldWork {
  readonly step: number;
  readonly exponents: readonly number[];
  readonly microBatches: ReadonlySet<number>;
}

export interface WorkToDo {
  /** Whether the sum is kept; otherwise it starts from zero. */
  readonly keep: boolean;
  readonly compute: readonly MicroBatchAssignment[];
}

/**
 * A sum can grow but not shrink. So it is kept if everything in it is planned, and then only the rest is computed.
 * @param held null if the sum holds nothing
 */
export function workToDo(
  held: HeldWork | null,
  plan: Pick<Body<'stepPlan'>, 'step' | 'exponents' | 'microBatches'>,
): WorkToDo {
  const planned = new Set(plan.microBatches.map(({ index }) => index));
  const keep =
    held?.step === plan.step &&
    held.exponents.length === plan.exponents.length &&
    held.exponents.every((exponent, slot) => exponent === plan.exponents[slot]) &&
    [...held.microBatches].every((index) => planned.has(index));
  const done: ReadonlySet<number> = keep ? held.microBatches : new Set();
  return { keep, compute: plan.microBatches.filter(({ index }) => !done.has(index)) };
}
