/** `vitrail evaluate`: a checkpoint's exact loss and accuracy on a folder of images. */
import type { Command } from 'commander';
import { wholeEvaluation, type EvaluationResult } from '../../api/evaluate.js';
import { openTrainedModel } from '../../api/open-trained-model.js';
import type { RunConfig } from '../../run/config/schema.js';
import { counted } from '../../errors/wording.js';
import { backendOption } from '../training/backend-option.js';
import { checkConfusionPath, writeConfusion } from './confusion-output.js';
import { confusionText } from './confusion-table.js';
import { errorText, runCommand } from '../run-command.js';
import { percent } from '../training/run-summary-text.js';

interface EvaluateFlags {
  readonly data?: string;
  readonly exclude?: string;
  readonly skipBroken?: boolean;
  readonly backend: RunConfig['backend'];
  readonly confusion?: string;
  readonly json?: boolean;
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function evaluateAction(path: string, flags: EvaluateFlags): Promise<void> {
  if (flags.confusion !== undefined) checkConfusionPath(flags.confusion);
  const model = await openTrainedModel(path, { backend: flags.backend, onNote: note });
  try {
    const { result, confusion } = await wholeEvaluation(model, {
      data: flags.data,
      exclude: flags.exclude,
      skipBroken: flags.skipBroken,
      onSkipped: (_, error) => note(errorText(error)),
      onNote: note,
    });
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : evaluationText(result, model.classes),
    );
    if (flags.confusion !== undefined) await writeConfusion(flags.confusion, confusion, model.classes);
    if (result.skipped.length > 0) process.exitCode = 1;
  } finally {
    model.close();
  }
}

function evaluationText(result: EvaluationResult, classes: readonly string[]): string {
  const { checkpoint, images, skipped, loss, accuracy } = result;
  const left = skipped.length === 0 ? '' : `, ${skipped.length} broken left out`;
  const figures = `${counted(images, 'image')}${left}  top-1 ${percent(accuracy)}  loss ${loss.toFixed(4)}`;
  return `${checkpoint}\n${figures}\n${confusionText(result, classes)}`;
}

export function registerEvaluate(program: Command): void {
  program
    .command('evaluate')
    .description('loss, top-1 accuracy and confusion matrix of a checkpoint')
    .argument(
      '<checkpoint>',
      'checkpoint folder, run folder (its best checkpoint), exported model, or published weights',
    )
    .option(
      '--data <folder>',
      "data set (its test split), or a folder of class folders (default: the run's data set)",
    )
    .option('--exclude <file>', 'file that lists images to leave out')
    .option(
      '--skip-broken',
      'leave out images that cannot be decoded, and name them (then the exit code is 1)',
    )
    .option('--confusion <file>', 'write the whole confusion matrix there: .csv or .npy')
    .addOption(backendOption())
    .option('--json', 'print JSON')
    .action(async (path: string, flags: EvaluateFlags) =>
      runCommand(async () => evaluateAction(path, flags)),
    );
}
