/** `vitrail train`: a coordinator and N supervised workers in one command. `vitrail coordinator`: without the workers. */
import type { Command } from 'commander';
import type { Coordination } from '../../api/coordinated-run.js';
import { fetchWeights } from '../../api/fetched-weights.js';
import { withMicroBatch } from '../../api/local/fitting-micro-batch.js';
import { runCoordinator } from '../../api/run-coordinator.js';
import { resolveRunOptions } from '../../api/run-options.js';
import { train } from '../../api/train.js';
import { configToYaml } from '../../run/config/config-file.js';
import { addConfigFlags, optionsOf, runOptionsOf, type ConfigFlagValues } from '../config-flags.js';
import { runCommand } from '../run-command.js';
import { summaryText } from './run-summary-text.js';
import { watchedRun, type WatchedRun } from './watched-run.js';

type TrainFlags = ConfigFlagValues & { readonly json?: boolean };

async function trainAction(flags: TrainFlags, run: WatchedRun): Promise<void> {
  if (flags.printConfig === true) {
    // A preset can be printed without any images.
    const options = Object.assign({ data: 'DIR' }, given(optionsOf(flags)));
    const tell: Coordination['tell'] = (event) => {
      if (event.kind === 'note') process.stderr.write(`${event.text}\n`);
    };
    // Only the end of this process aborts it.
    const { signal } = new AbortController();
    await fetchWeights(options, { tell });
    process.stdout.write(
      configToYaml(await resolveRunOptions(await withMicroBatch(options, { tell, signal }))),
    );
    return;
  }
  const summary = await watchedRun(run);
  process.stdout.write(flags.json === true ? `${JSON.stringify(summary, null, 2)}\n` : summaryText(summary));
}

/** The entries that are not undefined. */
function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

export function registerTrain(program: Command): void {
  addConfigFlags(
    program
      .command('train')
      .description('train on this machine: one coordinator and N worker processes')
      .option('--json', 'print the summary as JSON'),
  ).action(async (flags: TrainFlags) => {
    const events: WatchedRun['events'] = (control) => train(runOptionsOf(flags), control);
    await runCommand(async () => trainAction(flags, { events, comings: false }));
  });

  addConfigFlags(
    program
      .command('coordinator')
      .description('plan and commit the steps of a run; workers join with `vitrail worker`')
      .option('--json', 'print the summary as JSON'),
  ).action(async (flags: TrainFlags) => {
    const events: WatchedRun['events'] = (control) => runCoordinator(runOptionsOf(flags), control);
    await runCommand(async () => trainAction(flags, { events, comings: true }));
  });
}
