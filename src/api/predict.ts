/** `predict`: the most probable classes of images. */
import { resolve } from 'node:path';
import type { VitrailError } from '../errors/errors.js';
import { decodedImages } from './trained/decoded-images.js';
import { openModel } from './trained/open-model.js';
import type { TrainedModel } from './trained-model.js';

export interface PredictOptions {
  /** Number of classes to give for an image; 5 if missing. */
  readonly top?: number;
}

export interface Guess {
  readonly class: string;
  /** From 0 to 1. */
  readonly probability: number;
}

/** The answer for an image that can be decoded, or for one that cannot. */
export type Prediction =
  | {
      readonly kind: 'predicted';
      /** The path as it was given. */
      readonly image: string;
      /** Most probable class first; if two are equal, the earlier one. */
      readonly top: readonly Guess[];
      /** [classes], in the order of the model's classes. */
      readonly logits: readonly number[];
    }
  | { readonly kind: 'broken'; readonly image: string; readonly error: VitrailError };

function mostProbable(probabilities: Float32Array, classes: readonly string[], count: number): Guess[] {
  const order = classes.map((_, i) => i).sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  return order.slice(0, count).map((i) => ({ class: classes[i]!, probability: probabilities[i]! }));
}

/**
 * Predicts in the order of `images`, and gives each result as soon as it is there. An image that cannot be decoded does not
 * affect the others. Leaving the loop ends the decoding.
 * @param images files, of any format that training reads
 * @throws VitrailError: MODEL_CLOSED, DATA_LOADER_*, BACKEND_*
 */
export async function* predict(
  model: TrainedModel,
  images: readonly string[],
  { top = 5 }: PredictOptions = {},
): AsyncGenerator<Prediction, void, undefined> {
  const { stored } = openModel(model);
  const samples = images.map((image) => ({ path: resolve(image), bytes: 0, label: 0 }));
  for await (const found of decodedImages('/', samples, stored.config)) {
    const image = images[found.sample]!;
    if (found.kind === 'broken') {
      yield { kind: 'broken', image, error: found.error };
      continue;
    }
    // Checked for each image, because the model may have been closed meanwhile.
    const { logits, probabilities } = await openModel(model).engine.predict(found.batch);
    const guesses = mostProbable(probabilities, stored.classes, top);
    yield { kind: 'predicted', image, top: guesses, logits: [...logits] };
  }
}
