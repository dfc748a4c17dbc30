/**
 * Turns a decoded image into the model's S x S pixels: a pure function of (image, transform, seed, epoch,
 * sample).
 */
import { KeyedRandom, PURPOSE } from '../../numbers/random/keyed-random.js';
import { centreView, randomCrop } from './crop-geometry.js';
import { resample } from './resample.js';
import type { RgbImage } from './rgb-image.js';

/** The options of a run that have an influence on pixels. */
export interface TransformSpec {
  /** paper: random resized crop and flip, pixels in [-1, 1]; tutorial: squash, pixels in [0, 1]. */
  readonly transform: 'paper' | 'tutorial';
  /** S, in pixels. */
  readonly imageSize: number;
  /** Smallest area of a random crop, as a share of the image's. */
  readonly cropMinArea: number;
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

/** Whether a view depends on the epoch. If not, it may be cached. */
export function isRandom(spec: TransformSpec, augment: boolean): boolean {
  return augment && spec.transform === 'paper';
}

/** The pixels for evaluation, and for training without augmentation: shape [S, S, 3]. */
export function plainPixels(image: RgbImage, spec: TransformSpec): Uint8Array {
  const side = spec.imageSize;
  const whole = { left: 0, top: 0, width: image.width, height: image.height };
  if (spec.transform === 'tutorial') return resample(image, whole, { width: side, height: side });
  const { size, window } = centreView(image, side);
  return resample(image, whole, size, window);
}

/** The paper's training view: a random resized crop, mirrored half of the time. */
export function augmentedView(image: RgbImage, spec: TransformSpec, key: AugmentationKey): View {
  const random = new KeyedRandom(spec.seed, PURPOSE.augmentation, key.epoch, key.sample);
  const crop = randomCrop(random, image, spec.cropMinArea);
  const flip = random.uniform() < 0.5;
  const side = spec.imageSize;
  return { pixels: resample(image, crop, { width: side, height: side }), flip };
}
