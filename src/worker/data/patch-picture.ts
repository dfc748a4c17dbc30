/**
 * Draws the patches of an image: it is squashed to S x S, cut into P x P patches, and drawn with white gaps.
 */
import { rename, rm, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { coded, reasonOf } from '../../errors/errors.js';
import { decodeImage } from './image-decoder.js';
import { plainPixels } from './transform.js';

export interface PatchGrid {
  /** S, in pixels. */
  readonly imageSize: number;
  /** P, in pixels; divides S. */
  readonly patch: number;
}

/**
 * Spreads S x S pixels over a white square with gaps around every patch.
 * @param pixels shape [S, S, 3]
 * @returns its side in pixels, and its pixels: shape [side, side, 3]
 */
export function spreadPatches(
  pixels: Uint8Array,
  { imageSize, patch }: PatchGrid,
): { readonly side: number; readonly data: Uint8Array } {
  const patches = imageSize / patch;
  const gap = Math.max(1, Math.round(patch / 8));
  const side = imageSize + (patches + 1) * gap;
  const data = new Uint8Array(side * side * 3).fill(255);
  for (let y = 0; y < imageSize; y++) {
    const toY = y + (Math.floor(y / patch) + 1) * gap;
    for (let column = 0; column < patches; column++) {
      const from = (y * imageSize + column * patch) * 3;
      const toX = column * patch + (column + 1) * gap;
      data.set(pixels.subarray(from, from + patch * 3), (toY * side + toX) * 3);
    }
  }
  return { side, data };
}

/**
 * Writes the patch picture of the image in `imagePath` to `outPath` as PNG, completely or not at all.
 * @returns number of patches
 * @throws DATA_BROKEN_IMAGE, DATA_UNREADABLE, DATA_WRITE_FAILED; MODEL_PATCH_DOES_NOT_DIVIDE
 */
export async function writePatchPicture(
  imagePath: string,
  outPath: string,
  grid: PatchGrid,
): Promise<number> {
  const { imageSize, patch } = grid;
  if (imageSize % patch !== 0) {
    const suggestion = Math.max(1, Math.round(imageSize / patch)) * patch;
    throw coded('MODEL_PATCH_DOES_NOT_DIVIDE', { imageSize, patch, suggestion });
  }
  const image = await decodeImage(imagePath);
  // The tutorial's view has no random part, so seed and crop area have no influence.
  const pixels = plainPixels(image, {
    transform: 'tutorial',
    interpolation: 'bilinear',
    cropMode: null,
    cropFraction: null,
    imageSize,
    cropMinArea: 1,
    seed: 0,
  });
  const { side, data } = spreadPatches(pixels, grid);
  const png = await sharp(data, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toBuffer();
  const temporary = `${outPath}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, png);
    await rename(temporary, outPath);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw coded('DATA_WRITE_FAILED', { path: outPath, reason: reasonOf(thrown) });
  }
  return (imageSize / patch) ** 2;
}
