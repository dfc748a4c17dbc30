/**
 * The ring all-reduce as data: which part of the vector goes where, and what a rank does after every message.
 *
 * Vocabulary (that of gloo's allreduce.cc):
 * - rank r of R sends to rank r + 1 and receives from rank r - 1, modulo R;
 * - chunk s, one R-th of the vector, is the part whose sum starts at rank s;
 * - segment: a chunk is cut into segments of at most 1 MiB, each one message and each on its own way, so that
 *   sending, receiving and summing overlap;
 * - phase 'reduce': a segment travels s -> s+1 -> ... -> s-1, every rank adding its own values;
 *   phase 'gather': the finished sum travels s-1 -> s -> ... -> s-2, every rank copying it;
 * - hop: the number of ranks the segment has been sent on to in its phase, 0 .. R-2.
 */

/** 1 MiB of 32-bit elements. */
export const MAX_SEGMENT_ELEMENTS = 262_144;

export type Phase = 'reduce' | 'gather';

export interface Segment {
  /** Position among all segments of the vector. */
  readonly index: number;
  readonly chunk: number;
  /** Position within the chunk. */
  readonly segment: number;
  /** First element in the vector. */
  readonly offset: number;
  /** Number of elements, at least 1. */
  readonly length: number;
}

/** One message: `segment` on its way for the `hop`-th time in `phase`. */
export interface Move {
  readonly phase: Phase;
  readonly hop: number;
  readonly segment: Segment;
}

export interface RingPlan {
  readonly rank: number;
  readonly ranks: number;
  /** Elements of the vector. */
  readonly length: number;
  /** [chunk][segment]; a chunk without elements has no segments. */
  readonly chunks: readonly (readonly Segment[])[];
  /** Segments of all chunks. */
  readonly segmentCount: number;
  /** Messages this rank receives and sends until the vector is reduced. */
  readonly receives: number;
  readonly sends: number;
}

/** a modulo n, never negative. */
function wrap(a: number, n: number): number {
  return ((a % n) + n) % n;
}

function cut(chunk: number, from: number, to: number, segmentElements: number): Omit<Segment, 'index'>[] {
  const count = Math.ceil((to - from) / segmentElements);
  return Array.from({ length: count }, (_, segment) => {
    const offset = from + segment * segmentElements;
    return { chunk, segment, offset, length: Math.min(segmentElements, to - offset) };
  });
}

function requireInteger(name: string, value: number, from: number, to: number): void {
  if (!Number.isInteger(value) || value < from || value > to) {
    throw new RangeError(`${name} is ${value}: it has to be an integer from ${from} to ${to}`);
  }
}

/** The plan of rank `rank` for a vector of `length` elements. All ranks cut the vector in the same way. */
export function ringPlan(
  rank: number,
  ranks: number,
  length: number,
  segmentElements = MAX_SEGMENT_ELEMENTS,
): RingPlan {
  requireInteger('ranks', ranks, 1, 0xffff);
  requireInteger('rank', rank, 0, ranks - 1);
  requireInteger('length', length, 0, Number.MAX_SAFE_INTEGER);
  requireInteger('segmentElements', segmentElements, 1, MAX_SEGMENT_ELEMENTS);
  // Quotient and remainder are computed separately, because s * length / ranks would round for lengths near
  // 2^53.
  const base = Math.floor(length / ranks);
  const extra = length % ranks;
  const start = (chunk: number): number => chunk * base + Math.min(chunk, extra);
  let segmentCount = 0;
  const chunks = Array.from({ length: ranks }, (_, s) =>
    cut(s, start(s), start(s + 1), segmentElements).map((segment) => ({ index: segmentCount++, ...segment })),
  );
  const without = (chunk: number): number => segmentCount - chunks[wrap(chunk, ranks)]!.length;
  // A rank receives every chunk in each phase, except its own in the reduce phase and the one that it finished
  // (rank + 1) in the gather phase. It sends every chunk, except the one that it finishes in the reduce phase
  // and the one whose way ends at it in the gather phase.
  const receives = ranks === 1 ? 0 : without(rank) + without(rank + 1);
  const sends = ranks === 1 ? 0 : without(rank + 1) + without(rank + 2);
  return { rank, ranks, length, chunks, segmentCount, receives, sends };
}

/** The messages that a rank sends before it has received any: its own chunk. */
export function firstMoves(plan: RingPlan): Move[] {
  if (plan.ranks === 1) return [];
  return plan.chunks[plan.rank]!.map((segment) => ({ phase: 'reduce', hop: 0, segment }));
}

/** The hop with which `chunk` reaches this rank in `phase`; undefined if it never does. */
export function arrivalHop(plan: RingPlan, phase: Phase, chunk: number): number | undefined {
  const { rank, ranks } = plan;
  const hop = wrap(phase === 'reduce' ? rank - 1 - chunk : rank - chunk, ranks);
  return hop <= ranks - 2 ? hop : undefined;
}

/**
 * The message that a rank sends after it has received `move` and added or copied it; undefined if its way
 * ends here.
 */
export function nextMove(plan: RingPlan, move: Move): Move | undefined {
  const { phase, hop, segment } = move;
  if (hop < plan.ranks - 2) return { phase, hop: hop + 1, segment };
  return phase === 'reduce' ? { phase: 'gather', hop: 0, segment } : undefined;
}
