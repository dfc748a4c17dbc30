/** Who computes what in a step. Any answer gives the same weights; a good one gives them soon. */
import type { MicroBatch } from './sampling.js';

/** Micro-batches by worker. */
export type Assignment = ReadonlyMap<number, readonly MicroBatch[]>;

/**
 * Hands contiguous ranges of micro-batches to the workers, as evenly as whole micro-batches allow.
 * With fewer micro-batches than workers (a short last batch) some workers get none.
 */
export function assignEvenly(microBatches: readonly MicroBatch[], workers: readonly number[]): Assignment {
  const assignment = new Map<number, readonly MicroBatch[]>();
  workers.forEach((worker, rank) => {
    const start = Math.floor((rank * microBatches.length) / workers.length);
    const end = Math.floor(((rank + 1) * microBatches.length) / workers.length);
    assignment.set(worker, microBatches.slice(start, end));
  });
  return assignment;
}
