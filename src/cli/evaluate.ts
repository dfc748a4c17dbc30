/** `vitrail evaluate`: a checkpoint's exact loss and accuracy on a folder of images. */
import type { Command } from 'commander';
import { Confusion } from '../shared/evaluation/confusion.js';
import { confusionReport, type ConfusionReport } from '../shared/evaluation/confusion-report.js';
import { Loader } from '../worker/data/loader.js';
import type { BatchRequest } from '../worker/data/micro-batch.js';
import { confusionText } from './confusion-table.js';
import { backendOption } from './backend-option.js';
import { evaluatedImages, type EvaluatedImages, type ImageFlags } from './evaluated-images.js';
import { lossOfUnits, lossUnits } from '../shared/exact/loss-units.js';
import { runCommand } from './run-command.js';
import { percent } from './run-summary-text.js';
import { openTrainedModel, type TrainedModel } from './trained-model.js';
import { counted } from '../shared/wording.js';

interface EvaluateFlags extends ImageFlags {
  readonly backend: string;
  readonly json?: boolean;
}

export interface EvaluationResult extends ConfusionReport {
  readonly checkpoint: string;
  readonly step: number;
  readonly images: number;
  readonly loss: number;
  readonly accuracy: number;
}

const PREFETCH = 4;
const BATCH_TIMEOUT_MS = 120_000;

async function evaluate(model: TrainedModel, { root, samples }: EvaluatedImages): Promise<EvaluationResult> {
  const { engine, stored } = model;
  const { config, classes } = stored;
  const requests: BatchRequest[] = [];
  for (let start = 0; start < samples.length; start += config.microBatch) {
    const end = Math.min(start + config.microBatch, samples.length);
    const positions = Array.from({ length: end - start }, (_, i) => start + i);
    requests.push({ split: 'test', epoch: 0, samples: positions, augment: false });
  }
  const loader = new Loader(
    {
      root,
      splits: { train: [], test: samples },
      transform: config,
      cacheBytes: 0,
    },
    { maxAhead: PREFETCH, timeoutMs: BATCH_TIMEOUT_MS },
  );
  const predictions = new Uint32Array(samples.length);
  // As the run itself adds them up: the figures are the same to the last digit.
  let units = 0;
  let correct = 0;
  try {
    for (const [i, request] of requests.entries()) {
      loader.prefetch(requests.slice(i, i + PREFETCH));
      const result = await engine.evaluateMicroBatch(await loader.take(request));
      for (const loss of result.losses) units += lossUnits(loss);
      correct += result.correct;
      request.samples.forEach((sample, k) => {
        predictions[sample] = result.predictions[k]!;
      });
    }
  } finally {
    await loader.close();
  }
  const images = samples.length;
  const { path: checkpoint, step } = model;
  const labels = Uint32Array.from(samples, ({ label }) => label);
  return {
    checkpoint,
    step,
    images,
    loss: lossOfUnits(units) / images,
    accuracy: correct / images,
    ...confusionReport(new Confusion(classes.length, labels, predictions), classes),
  };
}

async function evaluateAction(path: string, flags: EvaluateFlags): Promise<void> {
  const model = await openTrainedModel(path, flags.backend);
  try {
    const result = await evaluate(model, await evaluatedImages(model, path, flags));
    if (flags.json === true) {
      process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      return;
    }
    const { checkpoint, images, loss, accuracy } = result;
    process.stdout.write(
      `${checkpoint}\n${counted(images, 'image')}  top-1 ${percent(accuracy)}  loss ${loss.toFixed(4)}\n`,
    );
    process.stdout.write(confusionText(result, model.stored.classes));
  } finally {
    model.engine.dispose();
  }
}

export function registerEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('loss, top-1 accuracy and confusion matrix of a checkpoint')
    .argument('<checkpoint>', 'checkpoint folder, or a run folder (its best checkpoint)')
    .option(
      '--data <folder>',
      "data set (its test split), or a folder of class folders (default: the run's data set)",
    )
    .option('--exclude <file>', 'file that lists images of a data set to leave out')
    .addOption(backendOption())
    .option('--json', 'print JSON')
    .action(async (path: string, flags: EvaluateFlags) =>
      runCommand(async () => evaluateAction(path, flags)),
    );
}
