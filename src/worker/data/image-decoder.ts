/** Decodes image files to upright 8-bit RGB: the worker's one door to sharp. */
import { open } from 'node:fs/promises';
import sharp from 'sharp';
import { coded, reasonOf } from '../../shared/errors.js';
import type { RgbImage } from './rgb-image.js';

// Files are decoded once and in parallel by the callers: neither libvips' cache nor its threads help.
sharp.cache(false);
sharp.concurrency(1);

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Why a file that sharp refused is refused: the file system's reason, the format's, or sharp's own. */
async function refusal(path: string, thrown: unknown): Promise<Error> {
  try {
    const head = await firstBytes(path);
    if (head.length === 0) return coded('DATA_BROKEN_IMAGE', { path, reason: 'the file is empty' });
    if (head.toString('latin1', 0, 2) === 'BM') {
      const reason = 'BMP cannot be decoded here: convert it, for example to PNG';
      return coded('DATA_BROKEN_IMAGE', { path, reason });
    }
  } catch (unreadable) {
    return coded('DATA_UNREADABLE', { path, reason: reasonOf(unreadable) });
  }
  const reason = reasonOf(thrown).replaceAll(/\s+/g, ' ').trim();
  return coded('DATA_BROKEN_IMAGE', { path, reason });
}

/**
 * The image in the file `path`, as 8-bit RGB with its EXIF rotation applied.
 * Like PIL's convert('RGB'): alpha is dropped without blending, embedded RGB profiles are ignored, of an animation
 * the first frame counts. 16-bit values keep their upper 8 bits. CMYK goes through sharp's built-in profile.
 * @throws DATA_BROKEN_IMAGE (also for truncated files), DATA_UNREADABLE
 */
export async function decodeImage(path: string): Promise<RgbImage> {
  try {
    const { data, info } = await sharp(path, { failOn: 'warning', ignoreIcc: true, autoOrient: true })
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`it has ${info.channels} channels after conversion to RGB`);
    return { width: info.width, height: info.height, data };
  } catch (thrown) {
    throw await refusal(path, thrown);
  }
}
