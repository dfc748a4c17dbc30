/** `vitrail fit`: the largest micro-batch that fits a GPU's memory, from the peaks of one image and of two. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Option, type Command } from 'commander';
import { coded } from '../shared/errors.js';
import type { RunConfig } from '../shared/config/schema.js';
import { modelSpec } from '../shared/model/model-spec.js';
import { parameterLayout } from '../shared/model/parameter-layout.js';
import { planDevice } from '../worker/engine/device.js';
import { ComputeEngine } from '../worker/engine/engine.js';
import { largestMicroBatch, USABLE_SHARE } from '../worker/engine/memory-fit.js';
import { surveyGpus } from '../worker/engine/native/gpus.js';
import { initialWeights } from '../worker/model/initialisation.js';
import { runCommand } from './run-command.js';
import { wholeNumber } from './whole-number.js';

interface FitFlags {
  readonly model: string;
  readonly imageSize: number;
  readonly classes: number;
  readonly precision: 'fp32' | 'bf16';
  readonly recompute?: boolean;
  readonly device: string;
}

/** Of training beyond a pass and back: moments, sums, reduced sums; a parameter has 4 bytes in each. */
const STATE_BYTES = 16;

async function fitAction(flags: FitFlags): Promise<void> {
  const { model, imageSize, classes, precision, recompute = false, device } = flags;
  const spec = modelSpec(model, { imageSize, classes, gelu: 'erf' });
  const { backend, gpu } = planDevice(device, 'native', surveyGpus);
  if (gpu === null)
    throw coded('DEVICE_UNUSABLE', { device, backend, reason: 'memory is measured on a GPU only' });
  const settings = { backend, gpu, spec, dropout: 0.1, precision, seed: 1, labelSmoothing: 0, recompute };
  const engine = await ComputeEngine.create(settings);
  try {
    engine.loadWeights(initialWeights(spec, 'timm', 1));
    const [one, two] = [1, 2].map((images) => engine.peakBytes(images));
    const memoryBytes = surveyGpus().devices.find(({ ordinal }) => ordinal === gpu)!.memoryBytes;
    const limit = USABLE_SHARE * memoryBytes - STATE_BYTES * parameterLayout(spec).length;
    const microBatch = largestMicroBatch(limit, one!, two!);
    process.stdout.write(
      `${JSON.stringify({ microBatch, device: gpu, memoryBytes, peakOfOne: one, peakOfTwo: two })}\n`,
    );
  } finally {
    engine.dispose();
  }
}

/** The largest power of two that fits and divides a worker's share of the batch. */
export function chosenMicroBatch(fits: number, batch: number, workers: number): number {
  let chosen = 1;
  while (chosen * 2 <= Math.min(fits, batch / workers) && batch % (chosen * 2) === 0) chosen *= 2;
  return chosen;
}

/** What `--micro-batch auto` stands for: measured by a process of its own, which gives the GPU's memory back. */
export async function fittingMicroBatch(config: RunConfig, classes: number, device: string): Promise<number> {
  const flags = [
    '--model',
    config.model,
    '--image-size',
    String(config.imageSize),
    '--classes',
    String(classes),
  ];
  const more = [
    '--precision',
    config.precision,
    '--device',
    device,
    ...(config.recompute ? ['--recompute'] : []),
  ];
  const cli = fileURLToPath(new URL('../cli.js', import.meta.url));
  const child = spawn(process.execPath, [cli, 'fit', ...flags, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [code]] = await Promise.all([
    text(child.stdout),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  if (code !== 0)
    throw coded('DEVICE_UNUSABLE', { device, backend: 'native', reason: '`vitrail fit` failed there' });
  const { microBatch } = JSON.parse(output) as { readonly microBatch: number };
  return chosenMicroBatch(microBatch, config.batch, config.workers);
}

export function registerFit(program: Command): void {
  program
    .command('fit')
    .description("the largest micro-batch that fits a GPU's memory, as JSON")
    .requiredOption('--model <name>', 'as of train')
    .option('--image-size <pixels>', 'as of train', wholeNumber(1), 224)
    .option('--classes <n>', 'of the data set', wholeNumber(1), 1000)
    .addOption(new Option('--precision <precision>').choices(['fp32', 'bf16']).default('bf16'))
    .option('--recompute', 'as of train')
    .option('--device <device>', 'cuda:N', 'cuda:0')
    .action(async (flags: FitFlags) => runCommand(async () => fitAction(flags)));
}
