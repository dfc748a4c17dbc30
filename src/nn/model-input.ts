/** The model's input for a micro-batch: pixels as they were decoded, or patches that the caller has made. */
import { coded } from '../errors/errors.js';
import { patchCount, patchLength, type ModelSpec } from '../run/model/model-spec.js';
import { writePatches, type PixelScale } from '../run/model/patches.js';

export interface PixelInput {
  /** [m, S, S, 3], 8 bits a channel. */
  readonly pixels: Uint8Array;
  /** [m]: 1 mirrors the image left to right. */
  readonly flips: Uint8Array;
}

export interface PatchInput {
  /** [m, N, C P P]: patches row by row; within a patch, channel, row, column. */
  readonly patches: Float32Array;
}

export type ModelInput = PixelInput | PatchInput;

/** What the head sees of images, instead of the images. */
export interface FeatureInput {
  /** [m, W] */
  readonly features: Float32Array;
}

/** m, the number of images, after checking that the arrays hold whole images. @throws INTERNAL */
export function imagesIn(input: ModelInput, spec: ModelSpec): number {
  const values = patchCount(spec) * patchLength(spec);
  const given = 'pixels' in input ? input.pixels : input.patches;
  const images = given.length / values;
  const flips = 'pixels' in input ? input.flips.length : images;
  if (!Number.isInteger(images) || images < 1 || flips !== images) {
    const what = 'pixels' in input ? `pixels and ${flips} flips` : 'patch values';
    throw coded('INTERNAL', { reason: `${given.length} ${what} for images of ${values} values` });
  }
  return images;
}

/** [m, N, C P P] on the host. */
export function patchesOf(input: ModelInput, spec: ModelSpec, scale: PixelScale): Float32Array {
  if ('patches' in input) return input.patches;
  const { pixels, flips } = input;
  const length = pixels.length / flips.length;
  const patches = new Float32Array(pixels.length);
  for (const [i, flip] of flips.entries()) {
    const image = pixels.subarray(i * length, (i + 1) * length);
    writePatches(image, spec.imageSize, spec.patch, scale, flip === 1, patches, i * length);
  }
  return patches;
}
