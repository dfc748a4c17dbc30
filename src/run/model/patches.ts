/** Turns pixels into the model's input, which is flattened patches of float32. */

/** The float32 value of each 8-bit pixel value: [256]. */
export type PixelScale = Float32Array;

/** [0, 1], as torchvision's ToTensor. */
export function unitScale(): PixelScale {
  return Float32Array.from({ length: 256 }, (_, value) => value / 255);
}

/** [-1, 1], as big_vision's value_range(-1, 1). */
export function signedScale(): PixelScale {
  return Float32Array.from({ length: 256 }, (_, value) => value / 127.5 - 1);
}

/** The table of pixel values for a run's transform. */
export function pixelScale(transform: 'paper' | 'tutorial'): PixelScale {
  return transform === 'paper' ? signedScale() : unitScale();
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
          out[to + plane] = scale[pixels[from + 1]!]!;
          out[to + 2 * plane] = scale[pixels[from + 2]!]!;
          to++;
          from += step;
        }
      }
      to += 2 * plane;
    }
  }
}
