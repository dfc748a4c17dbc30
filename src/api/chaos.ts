/** `chaos`: trains while processes are killed, stopped and cut off, and compares the weights with a clean run. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ChaosRuns, IMAGES, MOST_WORKERS, type ChaosRun } from '../chaos/chaos-runs.js';
import { faultCounts, type FaultCount } from '../chaos/fault-counts.js';
import { randomSchedule, systematicSchedules, type ChaosSchedule } from '../chaos/schedule.js';
import { coded } from '../errors/errors.js';
import { eventStream } from './event-stream.js';

export type { ChaosRun, FaultCount };

export interface ChaosOptions {
  /** Folder for the runs; those that fail are kept. `runs/chaos` if missing. */
  readonly out?: string | undefined;
  /** Images to train on; a small drawn set if missing. */
  readonly data?: string | undefined;
  /** Worker processes, at most six; 3 if missing. */
  readonly workers?: number | undefined;
  /** Runs, each with faults of its own; 5 if missing. */
  readonly schedules?: number | undefined;
  /** Seed of the first schedule; the others take the seeds after it. 1 if missing. */
  readonly firstSeed?: number | undefined;
  /** Faults in one run, 5 if missing. */
  readonly faults?: number | undefined;
  /** Every fault at every point and place is tried, instead of random ones. */
  readonly systematic?: boolean | undefined;
}

/** What all runs came to. */
export interface ChaosReport {
  /** Of the clean run. */
  readonly weightDigest: string | null;
  readonly runs: number;
  readonly failed: number;
  /** Faults that have happened. */
  readonly faults: number;
  readonly counts: readonly FaultCount[];
  readonly verdicts: readonly ChaosRun[];
}

export type ChaosEvent =
  /** The run without faults, which comes first. */
  | { readonly kind: 'clean'; readonly run: ChaosRun }
  /** Each run with faults, as it ends. */
  | { readonly kind: 'run'; readonly run: ChaosRun }
  /** The last event. */
  | { readonly kind: 'end'; readonly report: ChaosReport };

type Filled = { readonly [K in Exclude<keyof ChaosOptions, 'data'>]-?: NonNullable<ChaosOptions[K]> };

function inRange(key: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  const expected = `a whole number from ${min} to ${max}`;
  throw coded('CONFIG_INVALID_VALUE', { key, value: String(value), problem: 'out of range', expected });
}

function filled(options: ChaosOptions): Filled {
  const { out = 'runs/chaos', workers = 3, schedules = 5, firstSeed = 1 } = options;
  const { faults = 5, systematic = false } = options;
  inRange('workers', workers, 1, MOST_WORKERS);
  inRange('schedules', schedules, 1, 2 ** 31 - 1);
  inRange('first-seed', firstSeed, 0, 2 ** 31 - 1);
  inRange('faults', faults, 1, 100);
  return { out, workers, schedules, firstSeed, faults, systematic };
}

function schedulesOf(
  { workers, schedules, firstSeed, faults, systematic }: Filled,
  steps: number,
): ChaosSchedule[] {
  if (systematic) return systematicSchedules({ workers, steps }, faults).slice(0, schedules);
  const options = { workers, steps, faults };
  return Array.from({ length: schedules }, (_, i) => randomSchedule(firstSeed + i, options));
}

function reportOf(clean: ChaosRun, verdicts: readonly ChaosRun[]): ChaosReport {
  const hits = verdicts.flatMap(({ hit }) => hit);
  return {
    weightDigest: clean.weightDigest,
    runs: verdicts.length,
    failed: verdicts.filter((verdict) => !verdict.ok).length,
    faults: hits.length,
    counts: faultCounts(hits),
    verdicts,
  };
}

/**
 * Runs that fail are part of the report, and their folders are kept. An aborted one ends without a report, and leaves
 * no process behind.
 * @throws VitrailError: CHAOS_FAILED if the clean run fails; CONFIG_INVALID_VALUE
 */
export function chaos(
  options: ChaosOptions = {},
  { signal: outer }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<ChaosEvent, void, undefined> {
  return eventStream<ChaosEvent>(outer, async (tell, signal) => {
    const chosen = filled(options);
    const { out } = chosen;
    mkdirSync(out, { recursive: true });
    const data = options.data ?? join(out, 'data');
    if (options.data === undefined && !existsSync(data)) {
      const { drawDataset } = await import('../demo/drawn-dataset.js');
      await drawDataset(data, IMAGES);
    }
    const runs = new ChaosRuns(chosen, data);
    const aborted = (): boolean => signal.aborted;
    const quiet = { name: 'clean', wholeFleet: false, coordinator: [], workers: [[]] };
    const clean = await runs.run(quiet, null, signal);
    if (aborted()) return;
    tell({ kind: 'clean', run: clean });
    if (!clean.ok) throw coded('CHAOS_FAILED', { failed: 1, runs: 1, out });
    const verdicts: ChaosRun[] = [];
    for (const schedule of schedulesOf(chosen, clean.steps)) {
      const run = await runs.run(schedule, clean.weightDigest, signal);
      if (aborted()) return;
      verdicts.push(run);
      tell({ kind: 'run', run });
    }
    tell({ kind: 'end', report: reportOf(clean, verdicts) });
  });
}
