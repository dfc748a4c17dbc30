/** Evaluates a trained model on a list of images: exact loss, accuracy and confusion of classes. */
import { coded } from '../../errors/errors.js';
import type { VitrailError } from '../../errors/errors.js';
import { Confusion } from '../../run/evaluation/confusion.js';
import { lossOfUnits, lossUnits } from '../../numbers/exact/loss-units.js';
import type { MicroBatch } from '../../worker/data/micro-batch.js';
import { decodedImages, joinedBatch } from './decoded-images.js';
import type { EvaluatedImages } from './evaluated-images.js';
import type { OpenModel } from './open-model.js';

export interface ModelEvaluation {
  /** Number of images that were evaluated. */
  readonly images: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly confusion: Confusion;
}

/**
 * Called for an image that cannot be decoded. If it throws, the evaluation ends; otherwise the image is left
 * out.
 */
export type OnBroken = (path: string, error: VitrailError) => void;

/**
 * Adds up as the run itself does, so the figures are the same to the last digit. Images that are left out do not change
 * the others: the micro-batches are those of a list without them.
 * @throws DATA_ALL_BROKEN, DATA_LOADER_*, and what `onBroken` throws
 */
export async function evaluateModel(
  { engine, stored }: OpenModel,
  { root, samples }: EvaluatedImages,
  onBroken: OnBroken,
): Promise<ModelEvaluation> {
  const { config, classes } = stored;
  const labels = new Uint32Array(samples.length);
  const predictions = new Uint32Array(samples.length);
  let images = 0;
  let units = 0;
  let correct = 0;
  const judge = async (batch: MicroBatch): Promise<void> => {
    const result = await engine.evaluateMicroBatch(batch);
    for (const loss of result.losses) units += lossUnits(loss);
    correct += result.correct;
    labels.set(batch.labels, images);
    predictions.set(result.predictions, images);
    images += batch.count;
  };
  let waiting: MicroBatch[] = [];
  for await (const image of decodedImages(root, samples, config)) {
    if (image.kind === 'broken') {
      onBroken(samples[image.sample]!.path, image.error);
      continue;
    }
    waiting.push(image.batch);
    if (waiting.length < config.microBatch) continue;
    await judge(joinedBatch(waiting));
    waiting = [];
  }
  if (waiting.length > 0) await judge(joinedBatch(waiting));
  if (images === 0) throw coded('DATA_ALL_BROKEN', { path: root, images: samples.length });
  const counted = [labels.subarray(0, images), predictions.subarray(0, images)] as const;
  return {
    images,
    loss: lossOfUnits(units) / images,
    accuracy: correct / images,
    confusion: new Confusion(classes.length, ...counted),
  };
}
