/** Options of a run: its data. */
import { z } from 'zod';
import { fraction, operational, option, path, whole } from './option-kinds.js';

export const dataOptions = {
  data: path(
    operational(
      z.string().min(1),
      'data',
      'folder with train/ and with val/ or test/ or both, each with one folder per class',
    ),
  ),
  exclude: path(
    operational(
      z.string().nullable().default(null),
      'data',
      'file that lists images to leave out, one path a line',
    ),
  ),
  valSplit: option(
    fraction.default(0),
    'data',
    'share of each class of the training images that becomes validation images; only without val/; 0 for none',
  ),
  transform: option(
    z.enum(['paper', 'tutorial']).default('paper'),
    'data',
    'paper: random resized crop, flip, pixels in [-1, 1]; tutorial: squash, pixels in [0, 1]',
  ),
  mean: option(
    z.string().nullable().default(null),
    'data',
    "mean of pixel values in [0, 1], a number or three separated by commas; none for the transform's own",
  ),
  std: option(
    z.string().nullable().default(null),
    'data',
    "standard deviation of pixel values, as mean; none for the transform's own",
  ),
  interpolation: option(
    z.enum(['bilinear', 'bicubic']).default('bilinear'),
    'data',
    "how images are resized, both with antialiasing, as Pillow's",
  ),
  cropMode: option(
    z.enum(['center', 'squash']).nullable().default(null),
    'data',
    "center: the aspect is kept and the centre cropped; squash: both sides are resized; none for the transform's own",
  ),
  cropFraction: option(
    z.number().min(0.1).max(4).nullable().default(null),
    'data',
    "share of the resized image's side that is cropped in evaluation (timm's crop_pct); none for the transform's own",
  ),
  cropMinArea: option(
    z.number().gt(0).max(1).default(0.05),
    'data',
    'smallest area of a random crop, as a share of the image',
  ),
  augment: option(
    z.boolean().default(true),
    'data',
    "random crops and mirror images in training with the paper's transform; --no-augment trains on the views of evaluation",
  ),
  cacheBytes: operational(
    whole(0, Number.MAX_SAFE_INTEGER).default(256 * 2 ** 20),
    'data',
    'memory in which a worker keeps decoded images, or their features with --cache-features',
    'bytes',
  ),
  cacheFeatures: operational(
    z.boolean().default(false),
    'data',
    'with --freeze backbone and --no-augment: compute what the head sees of each image once and keep it, which changes no bit of the weights',
  ),
  prefetch: operational(whole(1, 64).default(4), 'data', 'micro-batches that a worker prepares ahead'),
};
