/** Builds micro-batches: looks up or decodes each image and transforms it. */
import { join } from 'node:path';
import type { ManifestSample } from '../../run/dataset/manifest.js';
import { coded } from '../../errors/errors.js';
import { DecodeSlots } from './decode-slots.js';
import { imageNumber, ImageCache } from './image-cache.js';
import { decodeImage } from './image-decoder.js';
import {
  type BatchRequest,
  type BatchSource,
  type LoaderStatistics,
  type MicroBatch,
} from './micro-batch.js';
import type { RgbImage } from './rgb-image.js';
import { augmentedView, isRandom, plainPixels, type View } from './transform.js';

/** Enough to keep the four threads of Node's pool busy while this thread transforms. */
const DECODES_AT_ONCE = 8;

/** Asks whether a request is still wanted. */
type StillWanted = () => boolean;

export class BatchBuilder {
  readonly #source: BatchSource;
  /** S */
  readonly #side: number;
  /**
   * Results that do not depend on random numbers: decoded images under even keys, finished S x S pixels under
   * odd ones.
   */
  readonly #cache: ImageCache<RgbImage>;
  readonly #slots = new DecodeSlots(DECODES_AT_ONCE);
  #decodedImages = 0;
  #cacheHits = 0;

  constructor(source: BatchSource) {
    this.#source = source;
    this.#side = source.transform.imageSize;
    this.#cache = new ImageCache(source.cacheBytes);
  }

  get statistics(): Omit<LoaderStatistics, 'busyMs'> {
    return {
      decodedImages: this.#decodedImages,
      cacheHits: this.#cacheHits,
      cachedBytes: this.#cache.usedBytes,
    };
  }

  /**
   * The micro-batch of `request`; null if nobody wants it any more.
   * @throws DATA_BROKEN_IMAGE, DATA_UNREADABLE; INTERNAL for a sample that does not exist
   */
  async build(request: BatchRequest, stillWanted: StillWanted): Promise<MicroBatch | null> {
    const side = this.#side;
    const count = request.samples.length;
    const files = request.samples.map((sample) => this.#sample(request, sample));
    const labels = Int32Array.from(files, ({ label }) => label);
    const pixels = new Uint8Array(count * side * side * 3);
    const flips = new Uint8Array(count);
    let failed = false;
    const rows = files.map(async (file, row) => {
      try {
        const view = await this.#view(request, request.samples[row]!, file, () => !failed && stillWanted());
        if (view === null) return;
        pixels.set(view.pixels, row * side * side * 3);
        flips[row] = view.flip ? 1 : 0;
      } catch (thrown) {
        failed = true;
        throw thrown;
      }
    });
    await Promise.all(rows);
    return stillWanted() ? { pixels, flips, labels, count } : null;
  }

  #sample({ split }: BatchRequest, sample: number): ManifestSample {
    const samples = this.#source.splits[split] ?? [];
    const found = samples[sample];
    if (found === undefined) {
      throw coded('INTERNAL', { reason: `sample ${sample} of ${split}, which has ${samples.length}` });
    }
    return found;
  }

  async #view(
    request: BatchRequest,
    sample: number,
    file: ManifestSample,
    stillWanted: StillWanted,
  ): Promise<View | null> {
    const { transform } = this.#source;
    const random = isRandom(transform, request.augment);
    const key = imageNumber(request.split, sample) * 2;
    if (random) {
      const image = await this.#decoded(key, file, stillWanted, true);
      return image && augmentedView(image, transform, { epoch: request.epoch, sample });
    }
    const kept = this.#cache.get(key + 1);
    if (kept !== undefined) {
      this.#cacheHits++;
      return { pixels: kept.data, flip: false };
    }
    const image = await this.#decoded(key, file, stillWanted, false);
    if (image === null) return null;
    const pixels = plainPixels(image, transform);
    const side = this.#side;
    this.#cache.offer(key + 1, { width: side, height: side, data: pixels }, pixels.length);
    return { pixels, flip: false };
  }

  async #decoded(
    key: number,
    file: ManifestSample,
    stillWanted: StillWanted,
    keep: boolean,
  ): Promise<RgbImage | null> {
    const kept = this.#cache.get(key);
    if (kept !== undefined) {
      this.#cacheHits++;
      return kept;
    }
    const image = await this.#slots.run(() =>
      stillWanted() ? decodeImage(join(this.#source.root, file.path)) : Promise.resolve(null),
    );
    if (image === null) return null;
    this.#decodedImages++;
    if (keep) this.#cache.offer(key, image, image.data.length);
    return image;
  }
}
