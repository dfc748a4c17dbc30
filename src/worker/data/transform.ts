/**
 * Turns a decoded image into the model's S x S pixels: a pure function of (image, transform, seed, epoch,
 * sample).
 */
import { KeyedRandom, PURPOSE } from '../../numbers/random/keyed-random.js';
import { resizedView } from '../../run/model/evaluation-view.js';
import type { PreprocessingOptions } from '../../run/model/preprocessing.js';
import { centreView, randomCrop } from './crop-geometry.js';
import { resample, type Box, type Size } from './resample.js';
import type { RgbImage } from './rgb-image.js';

/** The options of a run that have an influence on pixels. */
export interface TransformSpec extends Omit<PreprocessingOptions, 'mean' | 'std'> {
  /** S, in pixels. */
  readonly imageSize: number;
  /** Smallest area of a random crop, as a share of the image's. */
  readonly cropMinArea: number;
  /** Whether views in training are random where the transform has random ones; true if missing. */
  readonly augment?: boolean;
  readonly seed: number;
}

/** With the seed, this decides a sample's random numbers. */
export interface AugmentationKey {
  readonly epoch: number;
  /** Position in the train manifest. */
  readonly sample: number;
}

export interface View {
  /** Shape [S, S, 3]. */
  readonly pixels: Uint8Array;
  /** The model sees the mirror image of `pixels`. */
  readonly flip: boolean;
}

/**
 * Whether a view depends on the epoch. If not, it may be cached.
 * @param training the view is for training, not for evaluation
 */
export function isRandom(spec: Pick<TransformSpec, 'transform' | 'augment'>, training: boolean): boolean {
  return training && spec.transform === 'paper' && spec.augment !== false;
}

/** The part of `window` that lies within `size`. */
function within(window: Box, size: Size): Box {
  const left = Math.max(0, window.left);
  const top = Math.max(0, window.top);
  const width = Math.min(size.width, window.left + window.width) - left;
  const height = Math.min(size.height, window.top + window.height) - top;
  return { left, top, width, height };
}

/** `pixels` of the box `part` on a black `window`, both in the same coordinates: shape [window.height, window.width, 3]. */
function onBlack(pixels: Uint8Array, part: Box, window: Box): Uint8Array {
  const out = new Uint8Array(window.width * window.height * 3);
  const row = part.width * 3;
  for (let y = 0; y < part.height; y++) {
    const at = (part.top - window.top + y) * window.width + part.left - window.left;
    out.set(pixels.subarray(y * row, (y + 1) * row), at * 3);
  }
  return out;
}

/** The pixels for evaluation, and for training without augmentation: shape [S, S, 3]. */
export function plainPixels(image: RgbImage, spec: TransformSpec): Uint8Array {
  const whole = { left: 0, top: 0, width: image.width, height: image.height };
  const { size, window } = centreView(image, resizedView(spec, spec.imageSize));
  const part = within(window, size);
  const pixels = resample(image, whole, size, spec.interpolation, part);
  return pixels.length === window.width * window.height * 3 ? pixels : onBlack(pixels, part, window);
}

/** The paper's training view: a random resized crop, mirrored half of the time. */
export function augmentedView(image: RgbImage, spec: TransformSpec, key: AugmentationKey): View {
  const random = new KeyedRandom(spec.seed, PURPOSE.augmentation, key.epoch, key.sample);
  const crop = randomCrop(random, image, spec.cropMinArea);
  const flip = random.uniform() < 0.5;
  const side = spec.imageSize;
  return { pixels: resample(image, crop, { width: side, height: side }, spec.interpolation), flip };
}
