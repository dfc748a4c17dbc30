/** Turns pixels into the model's input, which is flattened patches of float32. */
import { normalisation } from './evaluation-view.js';
import { CHANNELS } from './model-spec.js';
import type { NormalisationOptions } from './preprocessing.js';

/** 8-bit pixels. */
const VALUES = 256;

/** The float32 value of each 8-bit pixel value of each channel: [3, 256]. */
export type PixelScale = Float32Array;

function scaleOf(valueOf: (value: number, channel: number) => number): PixelScale {
  return Float32Array.from({ length: CHANNELS * VALUES }, (_, i) =>
    valueOf(i % VALUES, Math.floor(i / VALUES)),
  );
}

/** [0, 1], as torchvision's ToTensor. */
export function unitScale(): PixelScale {
  return scaleOf((value) => value / 255);
}

/** [-1, 1], as big_vision's value_range(-1, 1). */
export function signedScale(): PixelScale {
  return scaleOf((value) => value / 127.5 - 1);
}

/** The float32 arithmetic of torchvision's ToTensor and Normalize. */
function normalisedScale(options: NormalisationOptions): PixelScale {
  const { mean, std } = normalisation(options);
  return scaleOf((value, channel) => {
    const difference = Math.fround(value / 255) - Math.fround(mean[channel]!);
    return Math.fround(difference) / Math.fround(std[channel]!);
  });
}

/** The table of pixel values for a run. */
export function pixelScale(options: NormalisationOptions): PixelScale {
  if (options.mean !== null || options.std !== null) return normalisedScale(options);
  return options.transform === 'paper' ? signedScale() : unitScale();
}

/**
 * Writes an image's patches to `out` from element `at` on: shape [(S / P)^2, 3 P^2], patches row by row, inside a patch
 * channel, row, column: the order of PyTorch's [D, C, P, P] kernel.
 * @param pixels shape [S, S, 3]
 * @param flip mirrors the image left to right
 */
export function writePatches(
  pixels: Uint8Array,
  side: number,
  patch: number,
  scale: PixelScale,
  flip: boolean,
  out: Float32Array,
  at: number,
): void {
  const step = flip ? -3 : 3;
  const plane = patch * patch;
  let to = at;
  for (let top = 0; top < side; top += patch) {
    for (let left = 0; left < side; left += patch) {
      const corner = (top * side + (flip ? side - 1 - left : left)) * 3;
      for (let row = 0; row < patch; row++) {
        let from = corner + row * side * 3;
        for (let column = 0; column < patch; column++) {
          out[to] = scale[pixels[from]!]!;
          out[to + plane] = scale[VALUES + pixels[from + 1]!]!;
          out[to + 2 * plane] = scale[2 * VALUES + pixels[from + 2]!]!;
          to++;
          from += step;
        }
      }
      to += 2 * plane;
    }
  }
}
