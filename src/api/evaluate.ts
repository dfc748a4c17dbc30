/** `evaluate`: exact loss, accuracy and confusion of a trained model on a folder of images. */
import { coded, type VitrailError } from '../errors/errors.js';
import type { BrokenFile } from '../run/dataset/folder-entries.js';
import { pathText } from '../run/dataset/path-text.js';
import type { Confusion } from '../run/evaluation/confusion.js';
import { confusionReport, type ConfusionReport } from '../run/evaluation/confusion-report.js';
import { evaluatedImages } from './trained/evaluated-images.js';
import { evaluateModel } from './trained/model-evaluation.js';
import { openModel } from './trained/open-model.js';
import type { TrainedModel } from './trained-model.js';

export interface EvaluateOptions {
  /** A data set (its test images, else its validation images) or a folder of class folders; without it the run's. */
  readonly data?: string | undefined;
  /** A file that lists images to leave out. */
  readonly exclude?: string | undefined;
  /** Leave out images that cannot be decoded, and list them in the result. Without this they are an error. */
  readonly skipBroken?: boolean | undefined;
  /** Called for every image that is left out, when it is found. */
  readonly onSkipped?: (path: string, error: VitrailError) => void;
  /** Called with findings about the images. */
  readonly onNote?: (text: string) => void;
}

export interface SkippedImage {
  /** Relative to the data folder. */
  readonly path: string;
  readonly reason: string;
}

/** The figures of a model on images. The fields of the confusion are those of `summary.json`. */
export interface EvaluationResult extends ConfusionReport {
  readonly checkpoint: string;
  readonly step: number;
  readonly skipped: readonly SkippedImage[];
  /** Number of images that were evaluated. */
  readonly images: number;
  /** Mean cross-entropy an image, in nats. */
  readonly loss: number;
  /** Share of the images whose most probable class is the right one, from 0 to 1. */
  readonly accuracy: number;
}

/** The result, with the whole confusion matrix. */
export interface WholeEvaluation {
  readonly result: EvaluationResult;
  readonly confusion: Confusion;
}

/** As `evaluate`, with the whole confusion matrix. */
export async function wholeEvaluation(
  model: TrainedModel,
  options: EvaluateOptions = {},
): Promise<WholeEvaluation> {
  const behind = openModel(model);
  const skips = options.skipBroken === true;
  const skipped: SkippedImage[] = [];
  const leaveOut = (image: string, error: VitrailError): void => {
    if (!skips) throw error;
    options.onSkipped?.(image, error);
    skipped.push({ path: image, reason: error.problem });
  };
  const leaveOutFile = ({ path, reason }: BrokenFile): void =>
    leaveOut(path, coded('DATA_BROKEN_IMAGE', { path: pathText(path), reason }));
  const images = await evaluatedImages(behind.stored, model.path, options, skips ? leaveOutFile : null);
  const { confusion, ...figures } = await evaluateModel(behind, images, leaveOut);
  const { path: checkpoint, step, classes } = model;
  const head = { checkpoint, step, skipped };
  return { result: Object.assign(head, figures, confusionReport(confusion, classes)), confusion };
}

/**
 * Evaluates a trained model. Adds up as the run itself does, so on the same images the figures are those of the run, to the
 * last digit.
 * @throws VitrailError: DATA_*, RUN_DATA_MISSING, MODEL_CLOSED
 */
export async function evaluate(
  model: TrainedModel,
  options: EvaluateOptions = {},
): Promise<EvaluationResult> {
  return (await wholeEvaluation(model, options)).result;
}
