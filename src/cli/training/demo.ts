/** `vitrail demo`: a first run from nothing to a trained model, in a minute or two. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import { train } from '../../api/train.js';
import { CONFIG_FILE } from '../../run/folder/starting-point.js';
import { drawDataset } from '../../demo/drawn-dataset.js';
import { confusionText } from '../trained/confusion-table.js';
import { runCommand } from '../run-command.js';
import { percent, summaryText } from './run-summary-text.js';
import { watchedRun } from './watched-run.js';
import { wholeNumber } from '../whole-number.js';

interface DemoFlags {
  readonly folder: string;
  readonly workers: number;
  readonly epochs: number;
  readonly json?: boolean;
}

/** The shortest run that stays well above 90 % on two cores, found by trying. */
const DEMO_CONFIG = {
  model: 'vit-micro/8',
  imageSize: 32,
  transform: 'tutorial',
  batch: 64,
  microBatch: 32,
  lr: 2e-3,
  warmupSteps: 60,
  weightDecay: 0.05,
  seed: 1,
} as const;

const IMAGES = { seed: 1, trainPerClass: 200, testPerClass: 40 };

function nextSteps(folder: string, run: string, data: string): string {
  const image = join(data, 'test');
  return [
    pc.bold('what to try next'),
    `  npx vitrail predict ${run} ${image}/star/*.jpg`,
    `  npx vitrail demo --folder ${folder} --workers 3    the same weights, bit for bit, on three workers`,
    `  npx vitrail digest ${run}`,
    "  npx vitrail summary vit-b/16    the paper's models",
    '  npx vitrail train --help        every option, for your own images',
    '',
  ].join('\n');
}

async function demoAction({ folder, workers, epochs, json }: DemoFlags): Promise<void> {
  const data = join(folder, 'shapes');
  const run = join(folder, 'run');
  if (!existsSync(data)) {
    const startMs = performance.now();
    const images = await drawDataset(data, IMAGES);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    process.stderr.write(`drew ${images} JPEG files into ${data} (${seconds} s)\n`);
  }
  // A demo may be repeated, so the earlier demo run is removed. Anything else in the folder stays.
  if (existsSync(join(run, CONFIG_FILE))) rmSync(run, { recursive: true });
  const options = Object.assign({ data, out: run, workers, epochs }, DEMO_CONFIG);
  const summary = await watchedRun({ events: (control) => train(options, control), comings: false });
  if (json === true) {
    process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
    return;
  }
  process.stdout.write(`\n${summaryText(summary)}\n`);
  process.stdout.write(confusionText(summary, summary.classes));
  if (summary.test !== null)
    process.stdout.write(`\n${pc.bold(`test accuracy ${percent(summary.test.accuracy)}`)}\n\n`);
  process.stdout.write(nextSteps(folder, run, data));
}

export function registerDemo(program: Command): void {
  program
    .command('demo')
    .description('draw a small set of images, train on it with two workers, show the result')
    .option(
      '--folder <folder>',
      'folder for images and run; it replaces an earlier demo run there',
      'runs/demo',
    )
    .option('--workers <number>', 'worker processes', wholeNumber(1, 64), 2)
    .option('--epochs <number>', 'passes over the training images', wholeNumber(1), 20)
    .option('--json', 'print the summary as JSON')
    .action(async (flags: DemoFlags) => runCommand(async () => demoAction(flags)));
}
