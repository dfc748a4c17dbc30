/** Recognises an all-reduce that has stalled, and decides what to do about the first, the third, and too many. Pure. */
import { coded } from '../../errors/errors.js';
import type { StallCheck } from './answer-wait.js';
import { inRing, leastReached, ringStalled, type Member } from '../members/membership.js';
import type { StepRound } from '../step/step-round.js';

/** After so many stalled all-reduces of a step, a worker is left out. */
const MOST_STALLS = 2;
/** After so many, leaving workers out does not help either, and the run ends. */
const MOST_STALLS_IN_ALL = 20;

export interface StallTimes {
  readonly stallMs: number;
  /** When the round was planned. */
  readonly plannedMs: number;
  readonly now: () => number;
}

/**
 * The stall check for the wait for the reports of a round. Workers in the ring wait for each other, so none of them is blamed
 * alone; a worker that keeps the others waiting has not entered the ring yet. A worker alone in its ring waits for no other.
 * @param members called for the current members each time
 */
export function ringStallCheck(
  { step, ring }: Pick<StepRound, 'step' | 'ring'>,
  members: () => readonly Member[],
  { stallMs, plannedMs, now }: StallTimes,
): StallCheck | undefined {
  if (ring.length === 1) return undefined;
  const asked = new Set(ring);
  return {
    found: () => {
      const present = members().filter((m) => asked.has(m.worker));
      return ringStalled(present, step, now(), stallMs, plannedMs);
    },
    excuses: (member) => inRing(member, step),
  };
}

/**
 * All workers are in the ring and nothing moves: the same ring is tried again first, then the ring without the worker that
 * received least.
 * @param stalls stalled all-reduces of this step, this one included
 * @returns the worker to leave out, or null
 * @throws RING_TIMEOUT
 */
export function leftOut(
  { step, generation, ring }: Pick<StepRound, 'step' | 'generation' | 'ring'>,
  members: readonly Member[],
  stalls: number,
  stallMs: number,
): number | null {
  if (stalls <= MOST_STALLS) return null;
  if (stalls > MOST_STALLS_IN_ALL) {
    const waitedMs = stalls * stallMs;
    const progress = `begun again ${stalls} times, from the third time on without one of the workers`;
    throw coded('RING_TIMEOUT', { step, waitedMs, progress });
  }
  const asked = new Set(ring);
  const present = members.filter((m) => asked.has(m.worker));
  return leastReached(present, generation)?.worker ?? null;
}
