/** Decodes BMP files, which sharp cannot. */
import type { RgbImage } from '../rgb-image.js';
import { bmpHeader, type BmpHeader } from './bmp-header.js';
import { unpackRuns } from './bmp-runs.js';
import type { Refused } from './image-kind.js';

const CUT: Refused = { refused: 'the BMP file is truncated' };

/** Palette indices of rows in the order of the file. @returns shape [height, width] */
function unpackBits(bytes: Uint8Array, stride: number, { width, height, bits, at }: BmpHeader): Uint8Array {
  const indices = new Uint8Array(width * height);
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  for (let y = 0; y < height; y++) {
    const row = at + y * stride;
    for (let x = 0; x < width; x++) {
      const byte = bytes[row + Math.floor(x / perByte)]!;
      indices[y * width + x] = (byte >> (8 - bits * ((x % perByte) + 1))) & mask;
    }
  }
  return indices;
}

/** The y of the image to which row `row` of the file belongs. */
function rowOf({ topDown, height }: BmpHeader, row: number): number {
  return topDown ? row : height - 1 - row;
}

function coloured(header: BmpHeader, palette: Uint8Array, indices: Uint8Array): Uint8Array {
  const { width, height } = header;
  const data = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const to = rowOf(header, row) * width;
    for (let x = 0; x < width; x++) {
      const colour = indices[row * width + x]! * 3;
      for (let c = 0; c < 3; c++) data[(to + x) * 3 + c] = palette[colour + c]!;
    }
  }
  return data;
}

function direct(bytes: Uint8Array, stride: number, header: BmpHeader): Uint8Array {
  const { width, height, bits, at, channels } = header;
  const data = new Uint8Array(width * height * 3);
  const pixelBytes = bits / 8;
  for (let row = 0; row < height; row++) {
    const to = rowOf(header, row) * width * 3;
    for (let x = 0; x < width; x++) {
      const from = at + row * stride + x * pixelBytes;
      let value = 0;
      for (let i = pixelBytes - 1; i >= 0; i--) value = (value << 8) | bytes[from + i]!;
      for (let c = 0; c < 3; c++) {
        const { shift, max } = channels[c]!;
        data[to + x * 3 + c] = Math.floor((((value >>> shift) & max) * 255) / max);
      }
    }
  }
  return data;
}

/** The image in `bytes`, or why there is none. */
export function decodeBmp(bytes: Uint8Array): RgbImage | Refused {
  const header = bmpHeader(bytes);
  if ('refused' in header) return header;
  const { width, height, bits, runLength, palette, at } = header;
  if (runLength && palette !== null) {
    const indices = unpackRuns(bytes, at, { width, height, nibbles: bits === 4 });
    return indices === null ? CUT : { width, height, data: coloured(header, palette, indices) };
  }
  const stride = Math.floor((width * bits + 31) / 32) * 4;
  // Memory is allocated only for pixels that are in the file. The padding of the last row may be missing.
  if (at + (height - 1) * stride + Math.ceil((width * bits) / 8) > bytes.length) return CUT;
  if (palette === null) return { width, height, data: direct(bytes, stride, header) };
  return { width, height, data: coloured(header, palette, unpackBits(bytes, stride, header)) };
}
