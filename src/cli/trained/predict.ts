/** `vitrail predict`: the most probable classes of images. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { VitrailError } from '../../errors/errors.js';
import { backendOption } from '../training/backend-option.js';
import { decodedImages } from './decoded-images.js';
import { errorText, runCommand } from '../run-command.js';
import { percent } from '../training/run-summary-text.js';
import { openTrainedModel, type TrainedModel } from './trained-model.js';
import { wholeNumber } from '../whole-number.js';

interface PredictFlags {
  readonly top: number;
  readonly backend: string;
  readonly json?: boolean;
}

interface Guess {
  readonly class: string;
  readonly probability: number;
}

/** Of an image that can be decoded, and of one that cannot. */
type Prediction =
  | {
      readonly image: string;
      /** Most probable first. */
      readonly top: readonly Guess[];
      /** Of all classes, in the order of the checkpoint's. */
      readonly logits: readonly number[];
    }
  | { readonly image: string; readonly error: VitrailError };

/** The `count` most probable classes; of equal ones the earlier class first. */
function mostProbable(probabilities: Float32Array, classes: readonly string[], count: number): Guess[] {
  const order = classes.map((_, i) => i).sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  return order.slice(0, count).map((i) => ({ class: classes[i]!, probability: probabilities[i]! }));
}

/** In the order of the images. */
async function* predictions(
  { engine, stored }: TrainedModel,
  images: readonly string[],
  count: number,
): AsyncGenerator<Prediction> {
  const samples = images.map((image) => ({ path: resolve(image), bytes: 0, label: 0 }));
  for await (const found of decodedImages('/', samples, stored.config)) {
    const image = images[found.sample]!;
    if (found.kind === 'broken') {
      yield { image, error: found.error };
      continue;
    }
    const { logits, probabilities } = await engine.predict(found.batch);
    yield { image, top: mostProbable(probabilities, stored.classes, count), logits: [...logits] };
  }
}

function predictionText(prediction: Prediction): string {
  if ('error' in prediction) return '';
  const lines = prediction.top.map((guess) => `  ${percent(guess.probability).padStart(8)}  ${guess.class}`);
  return `${pc.bold(prediction.image)}\n${lines.join('\n')}\n`;
}

/** An entry of the JSON array, in one line: the logits of many classes would take as many. */
function predictionJson(prediction: Prediction): string {
  if (!('error' in prediction)) return JSON.stringify(prediction);
  const { code, problem } = prediction.error;
  return JSON.stringify({ image: prediction.image, error: { code, problem } });
}

/** An image that cannot be decoded takes no other's result away: it has a line on stderr, and the exit code is 1. */
async function predictAction(path: string, images: readonly string[], flags: PredictFlags): Promise<void> {
  const model = await openTrainedModel(path, flags.backend);
  const json = flags.json === true;
  let before = '[\n';
  try {
    for await (const prediction of predictions(model, images, flags.top)) {
      if ('error' in prediction) {
        process.stderr.write(`${errorText(prediction.error)}\n`);
        process.exitCode = 1;
      }
      process.stdout.write(json ? `${before}${predictionJson(prediction)}` : predictionText(prediction));
      before = ',\n';
    }
    if (json) process.stdout.write('\n]\n');
  } finally {
    model.engine.dispose();
  }
}

export function registerPredict(program: Command): void {
  program
    .command('predict')
    .description('the most probable classes of images')
    .argument('<checkpoint>', 'checkpoint folder, or a run folder (its best checkpoint)')
    .argument('<image...>', 'image files')
    .option('--top <number>', 'classes to show', wholeNumber(1), 5)
    .addOption(backendOption())
    .option('--json', 'print JSON, with the logits of all classes')
    .action(async (path: string, images: string[], flags: PredictFlags) =>
      runCommand(async () => predictAction(path, images, flags)),
    );
}
