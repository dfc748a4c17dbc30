/**
 * Decides who computes what in a step. Every answer gives the same weights; a good one gives them sooner.
 * Pure.
 */
import type { MicroBatch } from './sampling.js';

/** Micro-batches by worker. */
export type Assignment = ReadonlyMap<number, readonly MicroBatch[]>;

export interface Participant {
  readonly worker: number;
  /** A worker without the state cannot compute. It takes part in the ring with an empty sum. */
  readonly hasState: boolean;
  /** Micro-batches that it keeps, because a sum can grow but not shrink. */
  readonly keeps: readonly number[];
}

/** Micro-batches a second by worker, or any other unit. A worker that is missing gets the average speed. */
export type Speeds = ReadonlyMap<number, number>;

function averageOf(speeds: Speeds): number {
  const values = [...speeds.values()];
  return values.length === 0 ? 1 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What each worker may keep. If two claim the same micro-batch, the later one has to drop its whole sum. */
function keptBy(workers: readonly Participant[], known: ReadonlySet<number>): Map<number, number[]> {
  const taken = new Set<number>();
  const kept = new Map<number, number[]>();
  for (const { worker, keeps } of workers) {
    const sound = keeps.every((index) => known.has(index) && !taken.has(index));
    const list = sound ? [...keeps] : [];
    for (const index of list) taken.add(index);
    kept.set(worker, list);
  }
  return kept;
}

/**
 * How many of `rest` further micro-batches each worker gets. Each worker without any gets one first, as far
 * as there are enough. Every further one goes to the worker that would finish it first, which is optimal for
 * pieces of equal size.
 */
function counts(loads: readonly number[], speeds: readonly number[], rest: number): number[] {
  const more = loads.map(() => 0);
  let left = rest;
  loads.forEach((load, i) => {
    if (load > 0 || left === 0) return;
    more[i] = 1;
    left--;
  });
  for (; left > 0; left--) {
    let first = 0;
    const finish = (i: number): number => (loads[i]! + more[i]! + 1) / speeds[i]!;
    for (let i = 1; i < loads.length; i++) if (finish(i) < finish(first)) first = i;
    more[first]!++;
  }
  return more;
}

/**
 * Gives every micro-batch to exactly one participant that has the state. Each gets what it keeps, and a
 * contiguous range of the rest according to its speed. If there are fewer micro-batches than workers (in a
 * short last batch), some get none.
 */
export function planAssignment(
  microBatches: readonly MicroBatch[],
  participants: readonly Participant[],
  speeds: Speeds = new Map(),
): Assignment {
  const byIndex = new Map(microBatches.map((m) => [m.index, m]));
  const assignment = new Map<number, readonly MicroBatch[]>(participants.map(({ worker }) => [worker, []]));
  const able = participants.filter(({ hasState }) => hasState);
  if (able.length === 0) return assignment;
  const kept = keptBy(able, new Set(byIndex.keys()));
  const taken = new Set([...kept.values()].flat());
  const rest = microBatches.filter(({ index }) => !taken.has(index));
  const loads = able.map(({ worker }) => kept.get(worker)!.length);
  const average = averageOf(speeds);
  const rates = able.map(({ worker }) => speeds.get(worker) ?? average);
  let start = 0;
  counts(loads, rates, rest.length).forEach((count, i) => {
    const { worker } = able[i]!;
    const own = kept.get(worker)!.map((index) => byIndex.get(index)!);
    const list = [...own, ...rest.slice(start, start + count)].sort((a, b) => a.index - b.index);
    assignment.set(worker, list);
    start += count;
  });
  return assignment;
}

/** The same for workers that all have the state and keep nothing. */
export function assignFreshly(
  microBatches: readonly MicroBatch[],
  workers: readonly number[],
  speeds?: Speeds,
): Assignment {
  const participants = workers.map((worker) => ({ worker, hasState: true, keeps: [] }));
  return planAssignment(microBatches, participants, speeds);
}
