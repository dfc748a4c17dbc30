/** `vitrail tune`: times the algorithms for a model's matrix products on a GPU and writes the fastest to a file. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { modelSpec } from '../shared/model/model-spec.js';
import { coded } from '../shared/errors.js';
import { planDevice } from '../worker/engine/device.js';
import { ComputeEngine } from '../worker/engine/engine.js';
import { surveyGpus } from '../worker/engine/native/gpus.js';
import { writeProductChoices } from '../worker/engine/product-choices.js';
import { initialWeights } from '../worker/model/initialisation.js';
import { runCommand } from './run-command.js';
import { wholeNumber } from './whole-number.js';

interface TuneFlags {
  readonly model: string;
  readonly imageSize: number;
  readonly classes: number;
  readonly microBatch: number;
  readonly precision: 'fp32' | 'bf16';
  readonly dropout: number;
  readonly device: string;
  readonly out: string;
}

async function tuneAction(flags: TuneFlags): Promise<void> {
  const { model, imageSize, classes, microBatch, precision, dropout, device, out } = flags;
  const spec = modelSpec(model, { imageSize, classes, gelu: 'erf' });
  const { backend, gpu } = planDevice(device, 'native', surveyGpus);
  if (gpu === null)
    throw coded('DEVICE_UNUSABLE', { device, backend, reason: 'products are tuned on a GPU only' });
  const settings = { backend, gpu, spec, dropout, precision, seed: 1, labelSmoothing: 0, recompute: false };
  const engine = await ComputeEngine.create({ ...settings, tune: true });
  try {
    engine.loadWeights(initialWeights(spec, 'timm', 1));
    const batch = {
      pixels: new Uint8Array(microBatch * imageSize * imageSize * 3).fill(100),
      flips: new Uint8Array(microBatch),
      labels: new Int32Array(microBatch),
    };
    await engine.trainMicroBatch(batch, { step: 0, microBatch: 0 }, () => undefined);
    await engine.evaluateMicroBatch(batch);
    const choices = engine.gpu!.productChoices();
    writeProductChoices(out, choices);
    process.stdout.write(`${out}: ${choices.length} products of ${engine.backend}\n`);
  } finally {
    engine.dispose();
  }
}

function share(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value < 1)) throw new InvalidArgumentError('a number from 0 to below 1');
  return value;
}

export function registerTune(program: Command): void {
  program
    .command('tune')
    .description("time the algorithms for a model's matrix products on a GPU, for --product-choices")
    .requiredOption('--model <name>', 'as of train')
    .option('--image-size <pixels>', 'as of train', wholeNumber(1), 224)
    .option('--classes <n>', 'of the data set', wholeNumber(1), 1000)
    .option('--micro-batch <n>', 'as of train', wholeNumber(1), 64)
    .addOption(new Option('--precision <precision>').choices(['fp32', 'bf16']).default('bf16'))
    .option('--dropout <p>', 'as of train: what is fused depends on it', share, 0)
    .option('--device <device>', 'cuda:N', 'cuda:0')
    .option('--out <file>', 'table to write', 'products.json')
    .action(async (flags: TuneFlags) => runCommand(async () => tuneAction(flags)));
}
