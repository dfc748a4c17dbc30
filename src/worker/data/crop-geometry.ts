/** Chooses the crops of training and evaluation: torchvision's geometry with keyed random numbers. */
import type { KeyedRandom } from '../../numbers/random/keyed-random.js';
import { portableExp } from '../../numbers/random/portable-exp.js';
import type { ResizedView } from '../../run/model/evaluation-view.js';
import type { Box, Size } from './resample.js';

const LOG_4_3 = 0.28768207245178096;
const MAX_ASPECT = 4 / 3;
const MIN_ASPECT = 3 / 4;
const ATTEMPTS = 10;

/** Python's round(): ties go to the even neighbour. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The largest centred box of `image` whose aspect ratio is within the limits. */
function centreFallback({ width, height }: Size): Box {
  const aspect = width / height;
  const w = aspect > MAX_ASPECT ? Math.max(1, roundHalfEven(height * MAX_ASPECT)) : width;
  const h = aspect < MIN_ASPECT ? Math.max(1, roundHalfEven(width / MIN_ASPECT)) : height;
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h };
}

/**
 * A random crop. Its area is uniform on [minArea, 1] of the image's, and its aspect ratio log-uniform on
 * [3/4, 4/3]. After ten attempts that do not fit into the image it is the centre. Source: torchvision 0.14,
 * RandomResizedCrop.get_params.
 */
export function randomCrop(random: KeyedRandom, image: Size, minArea: number): Box {
  const area = image.width * image.height;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const target = area * (minArea + (1 - minArea) * random.uniform());
    const aspect = portableExp((2 * random.uniform() - 1) * LOG_4_3);
    const width = roundHalfEven(Math.sqrt(target * aspect));
    const height = roundHalfEven(Math.sqrt(target / aspect));
    if (width > 0 && width <= image.width && height > 0 && height <= image.height) {
      const top = random.below(image.height - height + 1);
      const left = random.below(image.width - width + 1);
      return { left, top, width, height };
    }
  }
  return centreFallback(image);
}

/** torchvision's Resize: an image whose shorter side becomes `short`. */
function shorterSideResized({ width, height }: Size, short: number): Size {
  const long = Math.trunc((short * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: short, height: long } : { width: long, height: short };
}

/** Where a centred length begins in another; negative if it is longer. Along one axis, torchvision's CenterCrop. */
function centredStart(length: number, cropped: number): number {
  return length < cropped ? -Math.floor((cropped - length) / 2) : roundHalfEven((length - cropped) / 2);
}

/**
 * The view for evaluation: the size that the image is resized to, and the square of it that is kept, which may reach
 * beyond it. Source: torchvision 0.14, Resize and CenterCrop.
 */
export function centreView(
  image: Size,
  { resize, resizeTo, centerCrop: side }: ResizedView,
): { readonly size: Size; readonly window: Box } {
  const square = { width: resizeTo, height: resizeTo };
  const size = resize === 'both-sides' ? square : shorterSideResized(image, resizeTo);
  const left = centredStart(size.width, side);
  const top = centredStart(size.height, side);
  return { size, window: { left, top, width: side, height: side } };
}
