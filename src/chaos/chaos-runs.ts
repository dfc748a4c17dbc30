/** Small runs that faults happen to, and what is wrong with each. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configToYaml } from '../run/config/config-file.js';
import { resolveConfig, type OptionValues } from '../run/config/config.js';
import { Fleet, type FleetResult } from './fleet.js';
import { repeatedSteps } from './repeated-steps.js';
import type { ChaosSchedule } from './schedule.js';

const BATCH = 24;
const MICRO_BATCH = 4;
/** Each worker must have a micro-batch. */
export const MOST_WORKERS = BATCH / MICRO_BATCH;
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
/** The drawn set of images that they train on. */
export const IMAGES = { seed: 1, trainPerClass: 9, testPerClass: 3 };
const SUSPECT_AFTER_MS = 400;
const REMOVE_AFTER_MS = 1500;
const LONGEST_RUN_MS = 300_000;

export interface ChaosFolder {
  /** Folder of the runs; those that fail are kept. */
  readonly out: string;
  /** Worker processes. */
  readonly workers: number;
}

/** One run and what came of it. */
export interface ChaosRun extends FleetResult {
  readonly name: string;
  readonly ok: boolean;
}

/** The run's log; empty if there is none, because a coordinator may fail before it begins one. */
function logOf(runDir: string): string {
  const path = join(runDir, 'metrics.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

export class ChaosRuns {
  readonly #options: ChaosFolder;
  readonly #data: string;

  constructor(options: ChaosFolder, data: string) {
    this.#options = options;
    this.#data = data;
  }

  /**
   * @param reference digest of the weights that have to come out, null if they are not known
   * @param signal ends all processes of the run at once
   */
  async run(schedule: ChaosSchedule, reference: string | null, signal: AbortSignal): Promise<ChaosRun> {
    const { workers } = this.#options;
    const runDir = join(this.#options.out, schedule.name.replaceAll(' ', '-'));
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
    const fleet = new Fleet({
      configPath,
      runDir,
      schedule,
      removeAfterMs: REMOVE_AFTER_MS,
      timeoutMs: LONGEST_RUN_MS,
    });
    const kill = (): void => void fleet.kill();
    signal.addEventListener('abort', kill);
    const running = fleet.run();
    if (signal.aborted) kill();
    const result = await running.finally(() => signal.removeEventListener('abort', kill));
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
