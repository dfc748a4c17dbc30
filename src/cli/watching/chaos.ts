/** `vitrail chaos`: trains while workers and coordinator are killed, stopped and cut off, and compares the weights. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import type { Command } from 'commander';
import pc from 'picocolors';
import { faultCounts, type FaultCount } from '../../chaos/fault-counts.js';
import { Fleet, type FleetResult } from '../../chaos/fleet.js';
import { repeatedSteps } from '../../chaos/repeated-steps.js';
import { randomSchedule, systematicSchedules, type ChaosSchedule } from '../../chaos/schedule.js';
import { drawDataset } from '../../demo/drawn-dataset.js';
import { configToYaml } from '../../run/config/config-file.js';
import { resolveConfig, type OptionValues } from '../../run/config/config.js';
import { coded } from '../../errors/errors.js';
import { runCommand } from '../run-command.js';
import { endBy } from '../stop-signals.js';
import { wholeNumber } from '../whole-number.js';
import { counted } from '../../errors/wording.js';

interface ChaosFlags {
  readonly out: string;
  readonly data?: string;
  readonly workers: number;
  readonly schedules: number;
  readonly firstSeed: number;
  readonly faults: number;
  readonly systematic?: boolean;
  readonly json?: boolean;
}

const BATCH = 24;
const MICRO_BATCH = 4;
/** Each worker must have a micro-batch. */
const MOST_WORKERS = BATCH / MICRO_BATCH;
/** A small run that uses every kind of random number. */
const SMALL_RUN: OptionValues = {
  model: 'vit-micro/8',
  imageSize: 32,
  dropout: 0.1,
  labelSmoothing: 0.1,
  seed: 7,
  batch: BATCH,
  microBatch: MICRO_BATCH,
  epochs: 8,
  warmupSteps: 4,
  lr: 1e-3,
  emaDecay: 0.9,
  checkpointEverySteps: 5,
  auditEverySteps: 3,
};
const IMAGES = { seed: 1, trainPerClass: 9, testPerClass: 3 };
const SUSPECT_AFTER_MS = 400;
const REMOVE_AFTER_MS = 1500;
const LONGEST_RUN_MS = 300_000;

interface Verdict extends FleetResult {
  readonly name: string;
  readonly ok: boolean;
}

/** The run's log; empty if there is none, because a coordinator may fail before it begins one. */
function logOf(runDir: string): string {
  const path = join(runDir, 'metrics.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/**
 * One row for each point and one column for each kind of fault; in a cell the workers by place, then the
 * coordinator.
 */
function countTable(counts: readonly FaultCount[]): string {
  const actions = [...new Set(counts.map(({ action }) => action))].sort();
  const points = [...new Set(counts.map(({ point }) => point))];
  const table = new Table({ style: { head: [], border: [] }, head: ['point', ...actions] });
  for (const point of points) {
    const cell = (action: string): string =>
      counts
        .filter((count) => count.point === point && count.action === action)
        .map(({ who, count }) => `${who}: ${count}`)
        .join(', ');
    table.push([point, ...actions.map(cell)]);
  }
  return table.toString();
}

class Chaos {
  readonly #flags: ChaosFlags;
  readonly #data: string;
  #fleet: Fleet | null = null;

  constructor(flags: ChaosFlags, data: string) {
    this.#flags = flags;
    this.#data = data;
  }

  /** Ends the current run. */
  async kill(): Promise<void> {
    await this.#fleet?.kill();
  }

  async run(schedule: ChaosSchedule, reference: string | null): Promise<Verdict> {
    const { workers } = this.#flags;
    const runDir = join(this.#flags.out, schedule.name.replaceAll(' ', '-'));
    rmSync(runDir, { recursive: true, force: true });
    const configPath = `${runDir}.yaml`;
    const config = resolveConfig({
      flags: {
        ...SMALL_RUN,
        data: this.#data,
        out: runDir,
        workers,
        minWorkers: schedule.wholeFleet ? workers : 1,
        suspectAfterMs: SUSPECT_AFTER_MS,
        heartbeatTimeoutMs: REMOVE_AFTER_MS,
        ringTimeoutMs: 3000,
      },
    });
    writeFileSync(configPath, configToYaml(config));
    this.#fleet = new Fleet({
      configPath,
      runDir,
      schedule,
      removeAfterMs: REMOVE_AFTER_MS,
      timeoutMs: LONGEST_RUN_MS,
    });
    const result = await this.#fleet.run();
    const problems = [...result.problems];
    if (result.weightDigest === null) problems.push('no weights came out');
    else if (reference !== null && result.weightDigest !== reference) problems.push('other weights came out');
    const twice = repeatedSteps(logOf(runDir));
    if (twice.length > 0) problems.push(`steps were committed twice: ${twice.join(', ')}`);
    const ok = problems.length === 0;
    if (ok) rmSync(runDir, { recursive: true, force: true });
    if (ok) rmSync(configPath, { force: true });
    return { ...result, name: schedule.name, problems, ok };
  }
}

function schedulesOf(flags: ChaosFlags, steps: number): ChaosSchedule[] {
  const { workers, schedules, firstSeed, faults } = flags;
  if (flags.systematic === true) return systematicSchedules({ workers, steps }, faults).slice(0, schedules);
  const options = { workers, steps, faults };
  return Array.from({ length: schedules }, (_, i) => randomSchedule(firstSeed + i, options));
}

function tell({ problems }: Verdict): void {
  for (const problem of problems) process.stderr.write(`  ${problem}\n`);
}

async function chaosAction(flags: ChaosFlags): Promise<void> {
  mkdirSync(flags.out, { recursive: true });
  const data = flags.data ?? join(flags.out, 'data');
  if (flags.data === undefined && !existsSync(data)) await drawDataset(data, IMAGES);
  const chaos = new Chaos(flags, data);
  // No process of a run may outlive this one.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void chaos.kill().finally(() => endBy(signal)));
  }
  const quiet = { name: 'clean', wholeFleet: false, coordinator: [], workers: [[]] };
  const clean = await chaos.run(quiet, null);
  tell(clean);
  if (!clean.ok) throw coded('CHAOS_FAILED', { failed: 1, runs: 1, out: flags.out });
  process.stderr.write(`clean run: ${counted(clean.steps, 'step')}, weights ${clean.weightDigest}\n`);
  const verdicts: Verdict[] = [];
  for (const schedule of schedulesOf(flags, clean.steps)) {
    const verdict = await chaos.run(schedule, clean.weightDigest);
    verdicts.push(verdict);
    const mark = verdict.ok ? pc.green('same weights') : pc.red('FAILED');
    process.stderr.write(
      `${verdict.name}: ${mark}, ${counted(verdict.hit.length, 'fault')} in ${verdict.seconds.toFixed(1)} s\n`,
    );
    tell(verdict);
  }
  const failed = verdicts.filter((verdict) => !verdict.ok).length;
  const hits = verdicts.flatMap(({ hit }) => hit);
  const faults = hits.length;
  const counts = faultCounts(hits);
  const report = {
    weightDigest: clean.weightDigest,
    runs: verdicts.length,
    failed,
    faults,
    counts,
    verdicts,
  };
  if (flags.json === true) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    process.stdout.write(`${countTable(counts)}\n`);
    process.stdout.write(
      `${counted(verdicts.length, 'run')}, ${counted(faults, 'fault')}, ${failed} failed\n`,
    );
  }
  if (failed > 0) throw coded('CHAOS_FAILED', { failed, runs: verdicts.length, out: flags.out });
}

export function registerChaos(program: Command): void {
  program
    .command('chaos')
    .description(
      'train while processes are killed, stopped and cut off, and compare the weights with a clean run',
    )
    .option('--out <folder>', 'folder for the runs; those that fail are kept', 'runs/chaos')
    .option('--data <folder>', 'images (default: a small drawn set)')
    .option('--workers <number>', 'worker processes', wholeNumber(1, MOST_WORKERS), 3)
    .option('--schedules <number>', 'runs, each with faults of its own', wholeNumber(1), 5)
    .option(
      '--first-seed <number>',
      'seed of the first schedule; the others take the seeds after it',
      wholeNumber(0),
      1,
    )
    .option('--faults <number>', 'faults in one run', wholeNumber(1, 100), 5)
    .option('--systematic', 'try every fault at every point and place, instead of random ones')
    .option('--json', 'print the report as JSON')
    .action(async (flags: ChaosFlags) => runCommand(async () => chaosAction(flags)));
}
