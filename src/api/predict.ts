/** `predict`: the most probable classes of images. */
import { resolve } from 'node:path';
import type { VitrailError } from '../errors/errors.js';
import { decodedImages } from './trained/decoded-images.js';
import { openModel } from './trained/open-model.js';
import type { TrainedModel } from './trained-model.js';

export interface PredictOptions {
  /** Classes to name for an image, 5 where missing. */
  readonly top?: number;
}

export interface Guess {
  readonly class: string;
  /** From 0 to 1. */
  readonly probability: number;
}

/** Of an image that can be decoded, or of one that cannot. */
export type Prediction =
  | {
      readonly kind: 'predicted';
      /** As it was given. */
      readonly image: string;
      /** Most probable first; of equal ones the earlier class. */
      readonly top: readonly Guess[];
      /** [classes], in the order of the model's. */
      readonly logits: readonly number[];
    }
  | { readonly kind: 'broken'; readonly image: string; readonly error: VitrailError };

function mostProbable(probabilities: Float32Array, classes: readonly string[], count: number): Guess[] {
  const order = classes.map((_, i) => i).sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
  return order.slice(0, count).map((i) => ({ class: classes[i]!, probability: probabilities[i]! }));
}

/**
 * In the order of `images`, each as soon as it is there. An image that cannot be decoded takes no other's result away.
 * Whoever leaves the loop ends the decoding.
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
    // Asked for each: it may have been closed meanwhile.
    const { logits, probabilities } = await openModel(model).engine.predict(found.batch);
    const guesses = mostProbable(probabilities, stored.classes, top);
    yield { kind: 'predicted', image, top: guesses, logits: [...logits] };
  }
}
