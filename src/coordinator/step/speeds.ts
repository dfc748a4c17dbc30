/** Works out how fast the workers are from the times that they report. Pure. */
import type { Speeds } from './step-planning.js';

/**
 * Weight of a new measurement. Noise moves a speed by less than a third of itself; a real change shows in a
 * few steps.
 */
const SMOOTHING = 0.3;
/** A smaller difference does not change the plan, because images for the old plan are decoded already. */
const TOLERANCE = 0.1;
/** A straggler takes this many times the median per micro-batch. */
const STRAGGLING = 1.5;

export interface Measurement {
  readonly worker: number;
  /** Micro-batches that were computed in `ms`. */
  readonly microBatches: number;
  readonly ms: number;
}

/**
 * Micro-batches a second, exponentially smoothed. A worker whose measurement is of no use keeps its speed; a
 * worker that does not report any more is forgotten.
 */
export function updateSpeeds(speeds: Speeds, measurements: readonly Measurement[]): Speeds {
  const reporting = new Set(measurements.map(({ worker }) => worker));
  const updated = new Map([...speeds].filter(([worker]) => reporting.has(worker)));
  for (const { worker, microBatches, ms } of measurements) {
    if (!(microBatches > 0 && ms > 0 && ms < Infinity)) continue;
    const rate = (microBatches * 1000) / ms;
    const before = speeds.get(worker);
    updated.set(worker, before === undefined ? rate : before + SMOOTHING * (rate - before));
  }
  return updated;
}

/**
 * The speeds to plan with: those of the last plan, unless the speed of a worker has changed by more than the
 * tolerance.
 */
export function planningSpeeds(planned: Speeds, measured: Speeds, workers: readonly number[]): Speeds {
  const off = (worker: number): boolean => {
    const [was, is] = [planned.get(worker), measured.get(worker)];
    if (was === undefined || is === undefined) return was !== is;
    return Math.abs(is - was) > TOLERANCE * was;
  };
  if (!workers.some(off)) return planned;
  return new Map([...measured].filter(([worker]) => workers.includes(worker)));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Workers that need much longer than the others for the same work, each with its time as a multiple of the
 * median.
 */
export function stragglers(speeds: Speeds, workers: readonly number[]): ReadonlyMap<number, number> {
  const known = workers.filter((worker) => speeds.has(worker));
  if (known.length < 2) return new Map();
  const msEach = new Map(known.map((worker) => [worker, 1000 / speeds.get(worker)!]));
  const usual = median([...msEach.values()]);
  return new Map([...msEach].map(([w, ms]) => [w, ms / usual] as const).filter(([, x]) => x > STRAGGLING));
}
