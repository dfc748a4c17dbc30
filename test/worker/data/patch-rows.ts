/** The patches of one image as an array of their own. */
import { writePatches, type PixelScale } from '../../../src/run/model/patches.js';

export function patchesOf(
  pixels: Uint8Array,
  side: number,
  patch: number,
  scale: PixelScale,
  flip: boolean,
): Float32Array {
  // One element more on both sides: what is written outside of the image's range would show.
  const out = new Float32Array(side * side * 3 + 2).fill(7);
  writePatches(pixels, side, patch, scale, flip, out, 1);
  if (out[0] !== 7 || out.at(-1) !== 7) throw new Error('written outside of the range');
  return out.slice(1, -1);
}
