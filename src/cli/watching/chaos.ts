/** `vitrail chaos`: trains while workers and coordinator are killed, stopped and cut off, and compares the weights. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import pc from 'picocolors';
import {
  chaos,
  type ChaosOptions,
  type ChaosReport,
  type ChaosRun,
  type FaultCount,
} from '../../api/chaos.js';
import { MOST_WORKERS } from '../../chaos/chaos-runs.js';
import { coded } from '../../errors/errors.js';
import { counted } from '../../errors/wording.js';
import { runCommand } from '../run-command.js';
import { endBy } from '../stop-signals.js';
import { wholeNumber } from '../whole-number.js';

interface ChaosFlags extends ChaosOptions {
  readonly out: string;
  readonly json?: boolean;
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

function tellProblems({ problems }: ChaosRun): void {
  for (const problem of problems) process.stderr.write(`  ${problem}\n`);
}

function tellRun(run: ChaosRun): void {
  const mark = run.ok ? pc.green('same weights') : pc.red('FAILED');
  process.stderr.write(
    `${run.name}: ${mark}, ${counted(run.hit.length, 'fault')} in ${run.seconds.toFixed(1)} s\n`,
  );
  tellProblems(run);
}

function reportText({ counts, runs, faults, failed }: ChaosReport): string {
  return `${countTable(counts)}\n${counted(runs, 'run')}, ${counted(faults, 'fault')}, ${failed} failed\n`;
}

async function chaosAction({ json, ...options }: ChaosFlags): Promise<void> {
  const controller = new AbortController();
  const ended: { by?: 'SIGINT' | 'SIGTERM' } = {};
  // No process of a run may outlive this one.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      ended.by = signal;
      controller.abort();
    });
  }
  for await (const event of chaos(options, { signal: controller.signal })) {
    if (event.kind === 'run') tellRun(event.run);
    else if (event.kind === 'clean') {
      const { steps, weightDigest, ok } = event.run;
      tellProblems(event.run);
      if (ok) process.stderr.write(`clean run: ${counted(steps, 'step')}, weights ${weightDigest}\n`);
    } else {
      const { report } = event;
      process.stdout.write(json === true ? `${JSON.stringify(report, null, 2)}\n` : reportText(report));
      const { failed, runs } = report;
      if (failed > 0) throw coded('CHAOS_FAILED', { failed, runs, out: options.out });
    }
  }
  if (ended.by !== undefined) endBy(ended.by);
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
