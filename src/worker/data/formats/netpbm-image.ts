/** Decodes PBM, PGM and PPM files, which sharp cannot. */
import type { RgbImage } from '../rgb-image.js';
import type { Refused } from './image-kind.js';
import { netpbmHeader, type NetpbmHeader } from './netpbm-header.js';
import { plainBits, plainNumbers } from './netpbm-words.js';

/** Rounds to the nearest integer, halves to the even one, as Python's round does. PIL scales with it. */
function rounded(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** For every value up to `maxValue`, the same value scaled to 8 bits. */
function levels(maxValue: number): Uint8Array {
  return Uint8Array.from({ length: maxValue + 1 }, (_, value) => rounded((value / maxValue) * 255));
}

/** @returns one value a pixel, 1 is black; null if the file is too short */
function packedBits(bytes: Uint8Array, { width, height, at }: NetpbmHeader): Uint8Array | null {
  const stride = Math.ceil(width / 8);
  if (at + stride * height > bytes.length) return null;
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      values[y * width + x] = (bytes[at + y * stride + (x >> 3)]! >> (7 - (x & 7))) & 1;
    }
  }
  return values;
}

/** @returns `count` values, none above `maxValue`; null if the file is too short */
function packedNumbers(bytes: Uint8Array, { at, maxValue }: NetpbmHeader, count: number): Uint16Array | null {
  const wide = maxValue > 255;
  if (at + count * (wide ? 2 : 1) > bytes.length) return null;
  const values = new Uint16Array(count);
  for (let i = 0; i < count; i++) {
    const value = wide ? (bytes[at + i * 2]! << 8) | bytes[at + i * 2 + 1]! : bytes[at + i]!;
    values[i] = Math.min(value, maxValue);
  }
  return values;
}

/** Each value three times. */
function greys(values: ArrayLike<number>, level: (value: number) => number): Uint8Array {
  const data = new Uint8Array(values.length * 3);
  for (let i = 0; i < values.length; i++) data.fill(level(values[i]!), i * 3, i * 3 + 3);
  return data;
}

/** The image in `bytes`, or why there is none. */
export function decodeNetpbm(bytes: Uint8Array): RgbImage | Refused {
  const header = netpbmHeader(bytes);
  if ('refused' in header) return header;
  const { width, height, kind, plain, maxValue } = header;
  const count = width * height * (kind === 'rgb' ? 3 : 1);
  const cut: Refused = { refused: 'the file is truncated' };
  if (kind === 'bits') {
    const bits = plain ? plainBits(bytes, header.at, count) : packedBits(bytes, header);
    if (bits === null) return cut;
    return 'refused' in bits ? bits : { width, height, data: greys(bits, (bit) => (bit === 1 ? 0 : 255)) };
  }
  const values = plain
    ? plainNumbers(bytes, header.at, { count, maxValue })
    : packedNumbers(bytes, header, count);
  if (values === null) return cut;
  if ('refused' in values) return values;
  const level = levels(maxValue);
  if (kind === 'grey') return { width, height, data: greys(values, (value) => level[value]!) };
  return { width, height, data: Uint8Array.from(values, (value) => level[value]!) };
}
