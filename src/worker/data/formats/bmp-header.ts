/** Reads the headers of a BMP file, of Windows and OS/2, as PIL does. */
import { sizeRefusal, type Refused } from './image-kind.js';

/** The position of a channel's bits in a pixel's little-endian value. */
export interface ChannelBits {
  readonly shift: number;
  /** Their largest value. */
  readonly max: number;
}

export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly topDown: boolean;
  readonly bits: 1 | 4 | 8 | 16 | 24 | 32;
  readonly runLength: boolean;
  /** Shape [256, 3], red first; null if pixels hold colours and not palette indices. */
  readonly palette: Uint8Array | null;
  /** Red, green, blue; not used with a palette. */
  readonly channels: readonly [ChannelBits, ChannelBits, ChannelBits];
  /** Where the pixels begin in the file. */
  readonly at: number;
}

const HEADER_SIZES = [12, 40, 52, 56, 64, 108, 124];
const [RAW, RLE8, RLE4, BITFIELDS] = [0, 1, 2, 3];
const MAX_COLOURS = 65_536;
const FIELDS_555 = [0x7c00, 0x3e0, 0x1f] as const;
const FIELDS_565 = [0xf800, 0x7e0, 0x1f] as const;
const FIELDS_888 = [0xff0000, 0xff00, 0xff] as const;

type Masks = readonly [number, number, number];

function bitsOf(mask: number): ChannelBits {
  const shift = 31 - Math.clz32(mask & -mask);
  return { shift, max: mask >>> shift };
}

function sameMasks(a: Masks, b: Masks): boolean {
  return a.every((mask, i) => mask === b[i]);
}

/** The channels of pixels in which each channel is one byte. */
function areBytes(masks: Masks): boolean {
  return (
    masks.every((mask) => [0xff, 0xff00, 0xff0000, 0xff000000].includes(mask)) && new Set(masks).size === 3
  );
}

/** The channels of pixels of `bits` bits whose masks lie at `at`; null if PIL does not know them either. */
function fieldsAt(view: DataView, at: number, bits: number): Masks | null {
  const masks: Masks = [view.getUint32(at, true), view.getUint32(at + 4, true), view.getUint32(at + 8, true)];
  if (bits === 16) return sameMasks(masks, FIELDS_555) || sameMasks(masks, FIELDS_565) ? masks : null;
  if (bits === 24) return sameMasks(masks, FIELDS_888) ? masks : null;
  if (bits === 32 && masks.every((mask) => mask === 0)) return FIELDS_888;
  return bits === 32 && areBytes(masks) ? masks : null;
}

/** The palette of `colours` entries of `size` bytes at `at`; missing entries are black. */
function paletteAt(bytes: Uint8Array, at: number, colours: number, size: number): Uint8Array {
  const palette = new Uint8Array(768);
  for (let i = 0; i < Math.min(colours, 256) && at + i * size + 3 <= bytes.length; i++) {
    for (let c = 0; c < 3; c++) palette[i * 3 + c] = bytes[at + i * size + 2 - c]!;
  }
  return palette;
}

/** The header of the file `bytes`, or why it cannot be used. */
export function bmpHeader(bytes: Uint8Array): BmpHeader | Refused {
  const cut: Refused = { refused: 'the BMP file ends within its header' };
  if (bytes.length < 26) return cut;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = view.getUint32(14, true);
  if (!HEADER_SIZES.includes(size)) return { refused: `its BMP header has an unknown size, ${size} bytes` };
  if (bytes.length < 14 + size) return cut;
  const os2 = size === 12;
  const [width, rows] = os2
    ? [view.getUint16(18, true), view.getUint16(20, true)]
    : [view.getUint32(18, true), view.getUint32(22, true)];
  const topDown = !os2 && bytes[25] === 0xff;
  const height = topDown ? 2 ** 32 - rows : rows;
  const tooLarge = sizeRefusal(width, height);
  if (tooLarge !== null) return { refused: tooLarge };
  const bits = view.getUint16(os2 ? 24 : 28, true);
  if (bits !== 1 && bits !== 4 && bits !== 8 && bits !== 16 && bits !== 24 && bits !== 32) {
    return { refused: `it is a BMP of ${bits} bits a pixel` };
  }
  const compression = os2 ? RAW : view.getUint32(30, true);
  const runLength = compression === RLE8 || compression === RLE4;
  if (compression !== RAW && compression !== BITFIELDS && !runLength) {
    return { refused: `it is a BMP with compression ${compression}` };
  }
  if (runLength && bits !== (compression === RLE8 ? 8 : 4)) {
    return { refused: `it is a BMP of ${bits} bits a pixel with compression ${compression}` };
  }
  let next = 14 + size;
  let masks: Masks = bits === 16 ? FIELDS_555 : FIELDS_888;
  if (compression === BITFIELDS) {
    if (bytes.length < 66) return cut;
    const fields = fieldsAt(view, 54, bits);
    if (fields === null) return { refused: 'its BMP header has unknown bit fields' };
    masks = fields;
    if (size < 52) next += 12;
  }
  let at = view.getUint32(10, true);
  let palette: Uint8Array | null = null;
  if (bits <= 8) {
    const colours = (os2 ? 0 : view.getUint32(46, true)) || 1 << bits;
    if (colours > MAX_COLOURS) return { refused: `its BMP header says ${colours} colours` };
    const entry = os2 ? 3 : 4;
    palette = paletteAt(bytes, next, colours, entry);
    // Some programs write an offset that does not count the palette.
    if (at === next) at += entry * colours;
    next += entry * colours;
  }
  const channels = [bitsOf(masks[0]), bitsOf(masks[1]), bitsOf(masks[2])] as const;
  return { width, height, topDown, bits, runLength, palette, channels, at: at === 0 ? next : at };
}
