/** `vitrail train`: a coordinator and N supervised workers in one command. `vitrail coordinator`: without the workers. */
import { mkdirSync } from 'node:fs';
import type { Command } from 'commander';
import pc from 'picocolors';
import { runCoordinator } from '../../coordinator/coordinator.js';
import { systemHost } from '../../host/host.js';
import { reachableAddress } from '../../host/reachable-host.js';
import { hostForOthers } from '../../host/whereabouts.js';
import type { RunSummary } from '../../coordinator/watch/run-summary.js';
import { configToYaml } from '../../run/config/config-file.js';
import { coded, VitrailError } from '../../errors/errors.js';
import { scanOptionsOf } from '../../run/config/scan-options.js';
import type { RunConfig } from '../../run/config/schema.js';
import { addConfigFlags, configFromFlags, isOptionGiven, type ConfigFlagValues } from '../config-flags.js';
import { scanDataset } from '../../run/dataset/dataset-scan.js';
import { nvidiaGpusPresent } from '../../kernels/gpu-presence.js';
import { surveyGpus, THIS_MACHINE } from '../../nn/engine/gpus.js';
import { checkLocalDevices, deviceOfWorker } from './local-devices.js';
import { fittingMicroBatch } from '../machine/fit.js';
import { localPlacement } from './local-placement.js';
import { LocalWorkers } from './local-workers.js';
import { placementText } from './placement.js';
import { Progress } from './progress.js';
import { resumption, storedOptions, withAbsolutePaths } from './resumed-run.js';
import { runCommand } from '../run-command.js';
import { summaryText } from './run-summary-text.js';
import { exitCodeOf, listenForStop } from '../stop-signals.js';
import { counted } from '../../errors/wording.js';

const WORKER_GRACE_MS = 5000;

const usableGpus = (): readonly number[] => surveyGpus().usable;

export interface TrainOptions {
  /** Start this many workers here. */
  readonly localWorkers: number;
}

/** Trains `given` to its end with progress on stderr. */
export async function trainOnTerminal(given: RunConfig, { localWorkers }: TrainOptions): Promise<RunSummary> {
  const config = withAbsolutePaths(given);
  const progress = new Progress(process.stderr, { comings: localWorkers === 0 });
  let workers: LocalWorkers | null = null;
  const signals = listenForStop({
    supervised: false,
    onStop: (signal) =>
      progress.note(`${signal}: a checkpoint of the last finished step, then the end (again to end at once)`),
    onEnd: () => workers?.kill(),
  });
  const stopRequested = (): string | null => {
    const signal = signals.given();
    return signal === null ? null : `stopped by ${signal}`;
  };
  try {
    const summary = await runCoordinator(systemHost, config, {
      observer: progress,
      warn: (text) => progress.note(pc.yellow(text)),
      stopRequested,
      ownWorkers: localWorkers > 0,
      onListening: (addresses, cluster) => {
        const host = hostForOthers(config.advertise);
        progress.note(pc.dim(`metrics: http://${reachableAddress(addresses.http, host)}/metrics`));
        // Also of local workers: others may join, and are told what these use.
        const address = reachableAddress(addresses.workers, host);
        if (localWorkers === 0) {
          progress.note(
            `waiting for ${counted(config.workers, 'worker')}: vitrail worker --coordinator ${address}`,
          );
          return;
        }
        mkdirSync(config.out, { recursive: true });
        workers = new LocalWorkers({
          count: localWorkers,
          coordinator: address,
          threads: config.threads,
          deviceOf: (index) => deviceOfWorker(index, config.devices, config.backend, usableGpus),
          logLevel: config.logLevel,
          logDir: config.out,
          maxRestarts: config.maxRestarts,
          onExit: (pid, reason, left) => cluster.processEnded(pid, reason, left),
          onRestart: (text) => progress.note(pc.yellow(text)),
        });
      },
    });
    const signal = signals.given();
    // As a shell has it for a command that a signal ended: what follows with && does not run.
    if (signal !== null && summary.reason === stopRequested()) process.exitCode = exitCodeOf(signal);
    return summary;
  } finally {
    progress.stop();
    // Assigned in a callback, which the compiler does not see.
    await (workers as LocalWorkers | null)?.stop(WORKER_GRACE_MS);
    signals.release();
  }
}

type TrainFlags = ConfigFlagValues & { readonly json?: boolean };

/** `--micro-batch auto` by a number. */
async function withMicroBatch(flags: TrainFlags): Promise<TrainFlags> {
  if (flags.microBatch !== 'auto') return flags;
  // A resumed run has the number that was found when it was started.
  const resumed = resumption(flags, {});
  if (resumed !== null && (await storedOptions(resumed)) !== null) return { ...flags, microBatch: undefined };
  const config = await configFromFlags({ ...flags, microBatch: '1' });
  const device = deviceOfWorker(0, config.devices, config.backend, usableGpus);
  const classes = (await scanDataset(config.data, scanOptionsOf(config))).classes.length;
  const microBatch = await fittingMicroBatch(config, classes, device === 'auto' ? 'cuda:0' : device);
  process.stderr.write(`micro-batch ${microBatch}: the largest power of two that fits ${device}\n`);
  return { ...flags, microBatch: String(microBatch) };
}

/** Trains here, with the workers that are asked for or that this machine is best used by. */
async function trainHere(flags: TrainFlags, config: RunConfig): Promise<RunSummary> {
  const warning = checkLocalDevices(config, THIS_MACHINE, nvidiaGpusPresent());
  if (warning !== null) process.stderr.write(`${pc.yellow(`warning: ${warning}`)}\n`);
  const given = await isOptionGiven('workers', flags);
  const chosen = localPlacement(config, given);
  const { workers } = chosen;
  process.stderr.write(`${pc.dim(placementText(chosen))}\n`);
  if (workers === config.workers) return trainOnTerminal(config, { localWorkers: workers });
  try {
    const withChosen = await configFromFlags({ ...flags, workers: String(workers) });
    return await trainOnTerminal(withChosen, { localWorkers: workers });
  } catch (error) {
    // Known only when the images have been counted: there are fewer than a batch.
    if (!(error instanceof VitrailError) || error.code !== 'TOO_MANY_WORKERS') throw error;
    process.stderr.write(`1 worker: there are too few images for ${workers}\n`);
    return trainOnTerminal(config, { localWorkers: config.workers });
  }
}

async function trainAction(given: TrainFlags, local: boolean): Promise<void> {
  const flags = await withMicroBatch(given);
  if (flags.printConfig === true) {
    // A preset can be looked at without any images.
    process.stdout.write(configToYaml(await configFromFlags({ data: 'DIR', ...flags })));
    return;
  }
  const config = await configFromFlags(flags);
  if (flags.preset?.startsWith('table4-') === true && config.initFrom === null) {
    throw coded('CONFIG_MISSING', {
      key: 'init-from',
      expected: `a checkpoint: ${flags.preset} fine-tunes one`,
    });
  }
  const summary = local ? await trainHere(flags, config) : await trainOnTerminal(config, { localWorkers: 0 });
  process.stdout.write(flags.json === true ? `${JSON.stringify(summary, null, 2)}\n` : summaryText(summary));
}

export function registerTrain(program: Command): void {
  addConfigFlags(
    program
      .command('train')
      .description('train on this machine: one coordinator and N worker processes')
      .option('--json', 'print the summary as JSON'),
  ).action(async (flags: TrainFlags) => runCommand(async () => trainAction(flags, true)));

  addConfigFlags(
    program
      .command('coordinator')
      .description('plan and commit the steps of a run; workers join with `vitrail worker`')
      .option('--json', 'print the summary as JSON'),
  ).action(async (flags: TrainFlags) => runCommand(async () => trainAction(flags, false)));
}
