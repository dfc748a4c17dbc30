/** `vitrail predict`: the most probable classes of images. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import { Loader } from '../worker/data/loader.js';
import { backendOption } from './backend-option.js';
import { runCommand } from './run-command.js';
import { percent } from './run-summary-text.js';
import { openTrainedModel, type TrainedModel } from './trained-model.js';
import { wholeNumber } from './whole-number.js';

interface PredictFlags {
  readonly top: number;
  readonly backend: string;
  readonly json?: boolean;
}

interface Guess {
  readonly class: string;
  readonly probability: number;
}

interface Prediction {
  readonly image: string;
  /** Most probable first. */
  readonly top: readonly Guess[];
}

const IMAGE_TIMEOUT_MS = 60_000;

/** The `count` most probable classes; of equal ones the earlier class first. */
function mostProbable(probabilities: Float32Array, classes: readonly string[], count: number): Guess[] {
  const order = classes.map((_, i) => i).sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  return order.slice(0, count).map((i) => ({ class: classes[i]!, probability: probabilities[i]! }));
}

async function predict(model: TrainedModel, images: readonly string[], count: number): Promise<Prediction[]> {
  const { engine, stored } = model;
  const samples = images.map((image) => ({ path: resolve(image), bytes: 0, label: 0 }));
  const loader = new Loader(
    {
      root: '/',
      splits: { train: [], test: samples },
      transform: stored.config,
      cacheBytes: 0,
    },
    { maxAhead: 2, timeoutMs: IMAGE_TIMEOUT_MS },
  );
  try {
    const predictions: Prediction[] = [];
    for (const [i, image] of images.entries()) {
      const batch = await loader.take({ split: 'test', epoch: 0, samples: [i], augment: false });
      predictions.push({ image, top: mostProbable(await engine.predict(batch), stored.classes, count) });
    }
    return predictions;
  } finally {
    await loader.close();
  }
}

async function predictAction(path: string, images: readonly string[], flags: PredictFlags): Promise<void> {
  const model = await openTrainedModel(path, flags.backend);
  try {
    const predictions = await predict(model, images, flags.top);
    if (flags.json === true) {
      process.stdout.write(`${JSON.stringify(predictions, null, 2)}\n`);
      return;
    }
    for (const { image, top } of predictions) {
      const lines = top.map((guess) => `  ${percent(guess.probability).padStart(8)}  ${guess.class}`);
      process.stdout.write(`${pc.bold(image)}\n${lines.join('\n')}\n`);
    }
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
    .option('--json', 'print JSON')
    .action(async (path: string, images: string[], flags: PredictFlags) =>
      runCommand(async () => predictAction(path, images, flags)),
    );
}
