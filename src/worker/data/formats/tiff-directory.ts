/** Reads those tags of a TIFF's first directory that say how its pixels mean colours. */
import type { Refused } from './image-kind.js';

export interface TiffLayout {
  /** Samples are floating-point numbers. */
  readonly float: boolean;
  /** Samples have 16 bits, of which the upper eight are used. */
  readonly wide: boolean;
  readonly cmyk: boolean;
}

const TAG = {
  bits: 258,
  compression: 259,
  photometric: 262,
  channels: 277,
  tileOffsets: 324,
  tileBytes: 325,
  format: 339,
};
const CMYK = 5;
const YCBCR = 6;
/** SHORT, LONG, LONG8 and their sizes. */
const SIZES = new Map([
  [3, 2],
  [4, 4],
  [16, 8],
]);
/**
 * At most so many values of a tag are read. Damage in the tiles after them is left for the decoder to find.
 */
const MOST_VALUES = 65_536;

/** The unsigned integers in the tags of the first directory; null if it cannot be read. */
function directory(bytes: Uint8Array): Map<number, number[]> | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[0] === 0x49;
  const big = view.getUint16(2, little) === 43;
  const number = (at: number, size: number): number => {
    if (size === 2) return view.getUint16(at, little);
    return size === 4 ? view.getUint32(at, little) : Number(view.getBigUint64(at, little));
  };
  const [word, entry, countSize] = big ? [8, 20, 8] : [4, 12, 2];
  const start = number(big ? 8 : 4, word);
  if (start + countSize > bytes.length) return null;
  const entries = number(start, countSize);
  const tags = new Map<number, number[]>();
  for (let i = 0; i < entries; i++) {
    const at = start + countSize + i * entry;
    if (at + entry > bytes.length) return null;
    const size = SIZES.get(number(at + 2, 2));
    const count = Math.min(number(at + 4, word), MOST_VALUES);
    if (size === undefined) continue;
    const inline = at + 4 + word;
    const from = count * size <= word ? inline : number(inline, word);
    if (from + count * size > bytes.length) continue;
    tags.set(
      number(at, 2),
      Array.from({ length: count }, (_, k) => number(from + k * size, size)),
    );
  }
  return tags;
}

/**
 * How to decode this TIFF, or why not. If the directory cannot be read, the decoder's own error says it
 * better.
 */
export function tiffLayout(bytes: Uint8Array): TiffLayout | Refused {
  const tags = bytes.length < 16 ? null : directory(bytes);
  if (tags === null) return { float: false, wide: false, cmyk: false };
  const first = (tag: number, otherwise: number): number => tags.get(tag)?.[0] ?? otherwise;
  const tileBytes = tags.get(TAG.tileBytes) ?? [];
  const beyond = (tags.get(TAG.tileOffsets) ?? []).some((at, i) => at + (tileBytes[i] ?? 0) > bytes.length);
  if (beyond) return { refused: 'its tiles reach beyond the end of the file' };
  const format = first(TAG.format, 1);
  const channels = first(TAG.channels, 1);
  const compression = first(TAG.compression, 1);
  if (format === 2 && channels >= 1 && first(TAG.bits, 1) < 32)
    return {
      refused: 'its samples are signed, so it is not clear which value is black: convert it to 8 bits',
    };
  if (format === 3 && channels > 1)
    return { refused: `it has ${channels} channels of floating-point numbers: convert it to 8 bits` };
  const photometric = first(TAG.photometric, 1);
  if (photometric === YCBCR && compression !== 6 && compression !== 7)
    return { refused: 'its colours are YCbCr without JPEG compression: convert it to RGB' };
  return { float: format === 3, wide: first(TAG.bits, 1) === 16, cmyk: photometric === CMYK };
}
