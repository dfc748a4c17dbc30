/** Computes the logits on which an exported model is compared with the model it came from. */
import { coded } from '../../errors/errors.js';
import { nodeDisk } from '../../host/disk.js';
import type { RunConfig } from '../../run/config/schema.js';
import type { ModelSpec } from '../../run/model/model-spec.js';
import type { MicroBatch } from '../../worker/data/micro-batch.js';
import { decodedImages, joinedBatch } from '../trained/decoded-images.js';
import type { EvaluatedImages } from '../trained/evaluated-images.js';
import { engineFor } from '../trained/open-model.js';
import { publishedWeights } from '../trained/published-weights.js';

export interface ComputeOptions {
  readonly backend: RunConfig['backend'];
  readonly onNote: (text: string) => void;
}

interface ComputedModel {
  readonly config: RunConfig;
  readonly spec: ModelSpec;
  /** Flat, in layout order. */
  readonly weights: Float32Array;
}

/** The images as the model sees them. @throws DATA_ALL_BROKEN, DATA_LOADER_* */
export async function comparedBatch(
  { root, samples }: EvaluatedImages,
  config: RunConfig,
  onNote: (text: string) => void,
): Promise<MicroBatch> {
  const batches: MicroBatch[] = [];
  for await (const image of decodedImages(root, samples, config)) {
    if (image.kind === 'broken') onNote(image.error.problem);
    else batches.push(image.batch);
  }
  if (batches.length === 0) throw coded('DATA_ALL_BROKEN', { path: root, images: samples.length });
  return joinedBatch(batches);
}

/** [images, classes]; in fp32 whatever the run's precision, because others compute in fp32. */
export async function logitsOf(
  { config, spec, weights }: ComputedModel,
  batch: MicroBatch,
  { backend, onNote }: ComputeOptions,
): Promise<Float32Array> {
  const exact = { spec, backend, precision: 'fp32' as const };
  const engine = await engineFor(Object.assign({}, config, exact), onNote);
  try {
    engine.loadWeights(weights);
    return (await engine.predict(batch)).logits;
  } finally {
    engine.dispose();
  }
}

/** [images, classes of `order`] from [images, classes of `given`]; a class that is not given has NaN. */
function inOrder(logits: Float32Array, given: readonly string[], order: readonly string[]): Float32Array {
  const images = logits.length / given.length;
  const places = order.map((name) => given.indexOf(name));
  return Float32Array.from({ length: images * order.length }, (_, at) => {
    const place = places[at % order.length]!;
    return place < 0 ? NaN : logits[Math.floor(at / order.length) * given.length + place]!;
  });
}

/**
 * The logits that a folder gives to anyone who has nothing else: model, classes and what is done with images come from its
 * files, by the names and configurations of the other library, and not by the tables they were written from.
 * @param classes in the order of the result
 */
export async function publishedLogits(
  folder: string,
  classes: readonly string[],
  images: EvaluatedImages,
  compute: ComputeOptions,
): Promise<Float32Array> {
  const { stored, spec, weights } = await publishedWeights(nodeDisk, folder);
  const { config } = stored;
  // Images that cannot be decoded have been named already.
  const batch = await comparedBatch(images, config, () => undefined);
  const logits = await logitsOf({ config, spec, weights }, batch, compute);
  return inOrder(logits, stored.classes, classes);
}
