/** `vitrail evaluate`: a checkpoint's exact loss and accuracy on a folder of images. */
import type { Command } from 'commander';
import type { BrokenFile } from '../../run/dataset/folder-entries.js';
import { pathText } from '../../run/dataset/path-text.js';
import { coded, type VitrailError } from '../../errors/errors.js';
import { confusionReport, type ConfusionReport } from '../../run/evaluation/confusion-report.js';
import { counted } from '../../errors/wording.js';
import { backendOption } from '../training/backend-option.js';
import { checkConfusionPath, writeConfusion } from './confusion-output.js';
import { confusionText } from './confusion-table.js';
import { evaluatedImages, type ImageFlags } from './evaluated-images.js';
import { evaluateModel } from './model-evaluation.js';
import { errorText, runCommand } from '../run-command.js';
import { percent } from '../training/run-summary-text.js';
import { openTrainedModel } from './trained-model.js';

interface EvaluateFlags extends ImageFlags {
  readonly backend: string;
  readonly skipBroken?: boolean;
  readonly confusion?: string;
  readonly json?: boolean;
}

interface SkippedImage {
  /** Relative to the data folder. */
  readonly path: string;
  readonly reason: string;
}

interface EvaluationResult extends ConfusionReport {
  readonly checkpoint: string;
  readonly step: number;
  /** Images that the figures are of. */
  readonly images: number;
  /** Those that could not be decoded and were left out. */
  readonly skipped: readonly SkippedImage[];
  readonly loss: number;
  readonly accuracy: number;
}

async function evaluateAction(path: string, flags: EvaluateFlags): Promise<void> {
  if (flags.confusion !== undefined) checkConfusionPath(flags.confusion);
  const model = await openTrainedModel(path, flags.backend);
  try {
    const { classes } = model.stored;
    const skipped: SkippedImage[] = [];
    const leaveOut = (image: string, error: VitrailError): void => {
      if (flags.skipBroken !== true) throw error;
      process.stderr.write(`${errorText(error)}\n`);
      skipped.push({ path: image, reason: error.problem });
    };
    const leaveOutFile = ({ path: file, reason }: BrokenFile): void =>
      leaveOut(file, coded('DATA_BROKEN_IMAGE', { path: pathText(file), reason }));
    const onBroken = flags.skipBroken === true ? leaveOutFile : null;
    const images = await evaluatedImages(model, path, flags, onBroken);
    const { confusion, ...figures } = await evaluateModel(model, images, leaveOut);
    const { path: checkpoint, step } = model;
    const result = { checkpoint, step, skipped, ...figures, ...confusionReport(confusion, classes) };
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : evaluationText(result, classes),
    );
    if (flags.confusion !== undefined) await writeConfusion(flags.confusion, confusion, classes);
    if (skipped.length > 0) process.exitCode = 1;
  } finally {
    model.engine.dispose();
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
    .argument('<checkpoint>', 'checkpoint folder, or a run folder (its best checkpoint)')
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
