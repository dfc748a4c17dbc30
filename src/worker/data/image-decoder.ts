/** Decodes image files to upright 8-bit RGB. It is the worker's only file that imports sharp. */
import { readFile } from 'node:fs/promises';
import sharp, { type FailOnOptions, type Sharp } from 'sharp';
import { coded, reasonOf } from '../../errors/errors.js';
import { DecodeGate } from './decode-gate.js';
import { decodeBmp } from './formats/bmp-image.js';
import { rgbOfCmyk } from './formats/cmyk.js';
import { kindOf, MAX_PIXELS, type ImageKind, type Refused } from './formats/image-kind.js';
import { jpegComponents } from './formats/jpeg-frame.js';
import { decodeNetpbm } from './formats/netpbm-image.js';
import { pngDamage } from './formats/png-chunks.js';
import { tiffLayout } from './formats/tiff-directory.js';
import type { RgbImage } from './rgb-image.js';

// Files are decoded once and in parallel by the callers: neither libvips' cache nor its threads help.
sharp.cache(false);
sharp.concurrency(1);

const gate = new DecodeGate();

/**
 * What libvips should take for damage, so that it refuses what PIL refuses (docs/images.md). Warnings of
 * libjpeg are no damage. Warnings of libtiff are, because it only warns of a TIFF that ends too early.
 */
const FAIL_ON: Readonly<Partial<Record<ImageKind, FailOnOptions>>> = { tiff: 'error' };

interface Plan {
  readonly failOn: FailOnOptions;
  readonly cmyk: boolean;
  /**
   * Images whose values are all `upTo` or less are refused for `reason`; null if such an image may really be
   * black.
   */
  readonly black: { readonly upTo: number; readonly reason: string } | null;
}

const BLACK_FLOAT = {
  upTo: 1,
  reason: 'its floating-point numbers are all below 2, black in 8 bits: scale them to 0 to 255',
};
const BLACK_WIDE = {
  upTo: 0,
  reason: 'its 16-bit values are all below 256, black in 8 bits: scale them or save 8 bits',
};

/** How sharp should decode these bytes, or the reason why it should not. */
function planned(kind: ImageKind, bytes: Uint8Array): Plan | Refused {
  const failOn = FAIL_ON[kind] ?? 'truncated';
  if (kind === 'tiff') {
    const layout = tiffLayout(bytes);
    if ('refused' in layout) return layout;
    return { failOn, cmyk: layout.cmyk, black: layout.float ? BLACK_FLOAT : layout.wide ? BLACK_WIDE : null };
  }
  if (kind === 'png') {
    const damage = pngDamage(bytes);
    if (damage !== null) return { refused: damage };
  }
  const isWidePng = kind === 'png' && bytes[24] === 16;
  return {
    failOn,
    cmyk: kind === 'jpeg' && jpegComponents(bytes) === 4,
    black: isWidePng ? BLACK_WIDE : null,
  };
}

/** @throws what sharp throws */
async function withSharp(bytes: Buffer, { failOn, cmyk, black }: Plan): Promise<RgbImage | Refused> {
  const opened = sharp(bytes, { failOn, ignoreIcc: true, autoOrient: true, limitInputPixels: MAX_PIXELS });
  // If both the working space and the output space are CMYK, no colour profile is applied.
  const converted: Sharp = cmyk
    ? opened.pipelineColourspace('cmyk').toColourspace('cmyk')
    : opened.toColourspace('srgb').removeAlpha();
  const { data, info } = await converted.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (cmyk && channels === 4) return { width, height, data: rgbOfCmyk(data) };
  if (channels !== 3) return { refused: `it has ${channels} channels after conversion to RGB` };
  if (black !== null && data.every((value) => value <= black.upTo)) return { refused: black.reason };
  return { width, height, data };
}

/**
 * Decodes while other files are decoded, and a second time alone if sharp refuses. libvips has one list of
 * error texts for the whole process, so a text is certain to be of this file only if no other file is being
 * decoded.
 */
async function decoded(bytes: Buffer, plan: Plan): Promise<RgbImage | Refused> {
  try {
    return await gate.beside(() => withSharp(bytes, plan));
  } catch {
    try {
      return await gate.alone(() => withSharp(bytes, plan));
    } catch (thrown) {
      return { refused: reasonOf(thrown).replaceAll(/\s+/g, ' ').trim() };
    }
  }
}

async function imageOf(bytes: Buffer): Promise<RgbImage | Refused> {
  const kind = kindOf(bytes);
  if (typeof kind !== 'string') return kind;
  if (kind === 'bmp') return decodeBmp(bytes);
  if (kind === 'netpbm') return decodeNetpbm(bytes);
  const plan = planned(kind, bytes);
  return 'refused' in plan ? plan : decoded(bytes, plan);
}

/**
 * The image in the file `path`, as 8-bit RGB with its EXIF rotation applied.
 * As with PIL's convert('RGB'), alpha is dropped without blending, embedded profiles are ignored, and an animation gives
 * its first frame. `docs/images.md` lists where pixels differ from PIL's.
 * @throws DATA_BROKEN_IMAGE (also for truncated files), DATA_UNREADABLE
 */
export async function decodeImage(path: string): Promise<RgbImage> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (thrown) {
    throw coded('DATA_UNREADABLE', { path, reason: reasonOf(thrown) });
  }
  const image = await imageOf(bytes);
  if ('refused' in image) throw coded('DATA_BROKEN_IMAGE', { path, reason: image.refused });
  return image;
}
