/** `vitrail predict`: the most probable classes of images. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { openTrainedModel } from '../../api/open-trained-model.js';
import { predict, type Prediction } from '../../api/predict.js';
import type { RunConfig } from '../../run/config/schema.js';
import { backendOption } from '../training/backend-option.js';
import { errorText, runCommand } from '../run-command.js';
import { percent } from '../training/run-summary-text.js';
import { wholeNumber } from '../whole-number.js';

interface PredictFlags {
  readonly top: number;
  readonly backend: RunConfig['backend'];
  readonly json?: boolean;
}

function predictionText(prediction: Prediction): string {
  if (prediction.kind === 'broken') return '';
  const lines = prediction.top.map((guess) => `  ${percent(guess.probability).padStart(8)}  ${guess.class}`);
  return `${pc.bold(prediction.image)}\n${lines.join('\n')}\n`;
}

/** An entry of the JSON array, in one line because logits of many classes would take many lines. */
function predictionJson(prediction: Prediction): string {
  const { image } = prediction;
  if (prediction.kind === 'predicted')
    return JSON.stringify({ image, top: prediction.top, logits: prediction.logits });
  const { code, problem } = prediction.error;
  return JSON.stringify({ image, error: { code, problem } });
}

/**
 * An image that cannot be decoded does not affect the others. It gets a line on stderr, and the exit code is
 * 1.
 */
async function predictAction(path: string, images: readonly string[], flags: PredictFlags): Promise<void> {
  const model = await openTrainedModel(path, {
    backend: flags.backend,
    onNote: (text) => process.stderr.write(`${text}\n`),
  });
  const json = flags.json === true;
  let before = '[\n';
  try {
    for await (const prediction of predict(model, images, { top: flags.top })) {
      if (prediction.kind === 'broken') {
        process.stderr.write(`${errorText(prediction.error)}\n`);
        process.exitCode = 1;
      }
      process.stdout.write(json ? `${before}${predictionJson(prediction)}` : predictionText(prediction));
      before = ',\n';
    }
    if (json) process.stdout.write('\n]\n');
  } finally {
    model.close();
  }
}

export function registerPredict(program: Command): void {
  program
    .command('predict')
    .description('the most probable classes of images')
    .argument(
      '<checkpoint>',
      'checkpoint folder, run folder (its best checkpoint), exported model, or published weights',
    )
    .argument('<image...>', 'image files')
    .option('--top <number>', 'classes to show', wholeNumber(1), 5)
    .addOption(backendOption())
    .option('--json', 'print JSON, with the logits of all classes')
    .action(async (path: string, images: string[], flags: PredictFlags) =>
      runCommand(async () => predictAction(path, images, flags)),
    );
}
