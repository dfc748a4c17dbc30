/**
 * Micro-batches of a linear probe. What the head sees of an image is computed once and kept, so the image is decoded and
 * goes through the frozen part of the model once, and not in every epoch.
 */
import { coded } from '../../errors/errors.js';
import type { ManifestSample } from '../../run/dataset/manifest.js';
import type { ComputeEngine } from '../../nn/engine/engine.js';
import type { MicroBatch as EngineBatch } from '../../nn/engine/micro-batch-pass.js';
import { ImageCache, imageNumber } from '../data/image-cache.js';
import type { BatchRequest, MicroBatch, Split } from '../data/micro-batch.js';
import { imageBatches, type BatchLoader, type MicroBatches, type TakenBatch } from './micro-batches.js';

export interface FeatureBatchOptions {
  readonly loader: BatchLoader;
  readonly engine: Pick<ComputeEngine, 'features' | 'trainMicroBatch' | 'evaluateMicroBatch'>;
  readonly splits: Readonly<Record<Split, readonly ManifestSample[]>>;
  /** W: values that the head sees of an image. */
  readonly width: number;
  /** The most that is kept. */
  readonly limitBytes: number;
  /**
   * The size of all micro-batches but the last of an epoch, if features are the same only in micro-batches of one size; null
   * if they are the same in any. A GPU's library chooses another algorithm for another size. So there, features are
   * computed in micro-batches of this size, and those of a smaller micro-batch are neither kept nor taken from others.
   */
  readonly onlySize: number | null;
}

export class FeatureBatches implements MicroBatches {
  readonly #options: FeatureBatchOptions;
  readonly #images: MicroBatches;
  readonly #kept: ImageCache<Float32Array>;

  constructor(options: FeatureBatchOptions) {
    this.#options = options;
    this.#images = imageBatches(options.loader, options.engine);
    this.#kept = new ImageCache(options.limitBytes);
  }

  get ready(): number {
    return this.#options.loader.ready;
  }

  get keptBytes(): number {
    return this.#kept.usedBytes;
  }

  prefetch(requests: readonly BatchRequest[]): void {
    const wanted = requests.map((request) => (this.#keeps(request) ? this.#missing(request) : request));
    this.#options.loader.prefetch(wanted.filter(({ samples }) => samples.length > 0));
  }

  async take(request: BatchRequest): Promise<TakenBatch> {
    if (!this.#keeps(request)) return this.#images.take(request);
    const { loader, engine } = this.#options;
    const known = request.samples.map((sample) => this.#kept.get(imageNumber(request.split, sample)));
    const missing = this.#missing(request);
    const images = missing.samples.length === 0 ? null : await loader.take(missing);
    const batch = (): Promise<EngineBatch> => this.#batch(request, known, images);
    return {
      count: request.samples.length,
      train: async (position, onGradient) => engine.trainMicroBatch(await batch(), position, onGradient),
      evaluate: async () => engine.evaluateMicroBatch(await batch()),
    };
  }

  /** Drops all features, because the weights that they come from may have been others. */
  forget(): void {
    this.#kept.clear();
  }

  #keeps({ samples }: BatchRequest): boolean {
    const { onlySize } = this.#options;
    return onlySize === null || samples.length === onlySize;
  }

  /** The part of a request whose features are not kept. */
  #missing({ split, epoch, samples, augment }: BatchRequest): BatchRequest {
    const missing = samples.filter((sample) => this.#kept.get(imageNumber(split, sample)) === undefined);
    return { split, epoch, samples: missing, augment };
  }

  /** @param images those whose features are not known, in their order */
  async #batch(
    { split, samples }: BatchRequest,
    known: readonly (Float32Array | undefined)[],
    images: MicroBatch | null,
  ): Promise<EngineBatch> {
    const { engine, splits, width, onlySize } = this.#options;
    const computed = images === null ? null : await engine.features(filledUp(images, onlySize));
    const features = new Float32Array(samples.length * width);
    const labels = new Int32Array(samples.length);
    let at = 0;
    for (const [row, sample] of samples.entries()) {
      const file = splits[split][sample];
      let values = known[row];
      if (values === undefined && computed !== null) {
        values = computed.slice(at, at + width);
        at += width;
        this.#kept.offer(imageNumber(split, sample), values, values.byteLength);
      }
      if (file === undefined || values === undefined) {
        throw coded('INTERNAL', { reason: `no features of sample ${sample} of ${split}` });
      }
      features.set(values, row * width);
      labels[row] = file.label;
    }
    return { features, labels };
  }
}

/** The images, and then the first of them again and again, up to `size` images. */
function filledUp(
  { pixels, flips, count }: MicroBatch,
  size: number | null,
): Pick<MicroBatch, 'pixels' | 'flips'> {
  if (size === null || size <= count) return { pixels, flips };
  const length = pixels.length / count;
  const more = new Uint8Array(size * length);
  more.set(pixels);
  for (let image = count; image < size; image++) more.copyWithin(image * length, 0, length);
  const moreFlips = new Uint8Array(size).fill(flips[0]!);
  moreFlips.set(flips);
  return { pixels: more, flips: moreFlips };
}
