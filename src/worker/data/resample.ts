/**
 * Resizes images with Pillow's published method, bit-equal to its BILINEAR and BICUBIC filters: as wide as the scale,
 * a horizontal then a vertical pass, 22-bit fixed-point weights, 8 bits between the passes.
 * Source: Pillow, src/libImaging/Resample.c (precompute_coeffs, normalize_coeffs_8bpc, ImagingResample*_8bpc).
 */
import type { Interpolation } from '../../run/model/preprocessing.js';
import { FILTERS, type Filter } from './resample-filters.js';
import type { RgbImage } from './rgb-image.js';

/** A rectangle in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const PRECISION_BITS = 22;
const ONE = 1 << PRECISION_BITS;
const HALF = 1 << (PRECISION_BITS - 1);

/** Sums outside of 0 to 255, which the negative weights of a cubic filter make, are clipped when they are stored. */
type Pixels = Uint8ClampedArray<ArrayBuffer>;

/** Along one axis, the inputs of each output and their weights. */
interface Axis {
  /** First input of each output. */
  readonly first: Int32Array;
  /** Number of inputs of each output. */
  readonly taps: Int32Array;
  /** Shape [outputs, stride]; the weights of an output add up to 2^22, apart from rounding. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** The axis that maps `input` pixels to `output` pixels, for outputs from `from` on, `count` of them. */
function axisOf(filter: Filter, input: number, output: number, from: number, count: number): Axis {
  const scale = input / output;
  const width = Math.max(1, scale);
  const support = filter.support * width;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(count);
  const taps = new Int32Array(count);
  const weights = new Int32Array(count * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < count; i++) {
    const centre = (from + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - support + 0.5));
    const high = Math.min(input, Math.trunc(centre + support + 0.5));
    let total = 0;
    for (let x = low; x < high; x++) {
      const weight = filter.weight((x - centre + 0.5) * (1 / width));
      exact[x - low] = weight;
      total += weight;
    }
    first[i] = low;
    taps[i] = high - low;
    for (let k = 0; k < high - low; k++) {
      const weight = (exact[k]! / total) * ONE;
      weights[i * stride + k] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
  }
  return { first, taps, weights, stride };
}

/** Rows [top, top + rows) of the crop, resized along x: shape [rows, axis outputs, 3]. */
function horizontal(image: RgbImage, left: number, top: number, rows: number, axis: Axis): Pixels {
  const { first, taps, weights, stride } = axis;
  const { data, width } = image;
  const columns = first.length;
  const out: Pixels = new Uint8ClampedArray(rows * columns * 3);
  for (let x = 0; x < columns; x++) {
    const begin = x * stride;
    const end = begin + taps[x]!;
    let row = (top * width + left + first[x]!) * 3;
    let at = x * 3;
    for (let y = 0; y < rows; y++) {
      let from = row;
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let k = begin;
      // Two taps at a time, because an iteration of the loop costs as much as a tap.
      for (; k + 1 < end; k += 2) {
        const w0 = weights[k]!;
        const w1 = weights[k + 1]!;
        red = (red + Math.imul(data[from]!, w0) + Math.imul(data[from + 3]!, w1)) | 0;
        green = (green + Math.imul(data[from + 1]!, w0) + Math.imul(data[from + 4]!, w1)) | 0;
        blue = (blue + Math.imul(data[from + 2]!, w0) + Math.imul(data[from + 5]!, w1)) | 0;
        from += 6;
      }
      if (k < end) {
        const w0 = weights[k]!;
        red = (red + Math.imul(data[from]!, w0)) | 0;
        green = (green + Math.imul(data[from + 1]!, w0)) | 0;
        blue = (blue + Math.imul(data[from + 2]!, w0)) | 0;
      }
      out[at] = red >> PRECISION_BITS;
      out[at + 1] = green >> PRECISION_BITS;
      out[at + 2] = blue >> PRECISION_BITS;
      row += width * 3;
      at += columns * 3;
    }
  }
  return out;
}

/** out[at + x] = w0 rows[a + x] + w1 rows[b + x] for `length` bytes: two taps, the usual case of enlarging. */
function blendTwo(
  rows: Pixels,
  a: number,
  b: number,
  w0: number,
  w1: number,
  out: Pixels,
  at: number,
  length: number,
): void {
  for (let x = 0; x < length; x++) {
    out[at + x] = (HALF + Math.imul(rows[a + x]!, w0) + Math.imul(rows[b + x]!, w1)) >> PRECISION_BITS;
  }
}

/** `rows`, of `length` bytes each, resized along y; row 0 of `rows` is input row `skipped` of the axis. */
function vertical(rows: Pixels, length: number, skipped: number, axis: Axis): Pixels {
  const { first, taps, weights, stride } = axis;
  const out: Pixels = new Uint8ClampedArray(first.length * length);
  const sums = new Int32Array(length);
  for (let y = 0; y < first.length; y++) {
    const n = taps[y]!;
    const start = (first[y]! - skipped) * length;
    const at = y * length;
    const w = y * stride;
    if (n === 2) {
      blendTwo(rows, start, start + length, weights[w]!, weights[w + 1]!, out, at, length);
      continue;
    }
    sums.fill(HALF);
    let k = 0;
    for (; k + 1 < n; k += 2) {
      const w0 = weights[w + k]!;
      const w1 = weights[w + k + 1]!;
      const a = start + k * length;
      const b = a + length;
      for (let x = 0; x < length; x++) {
        sums[x] = (sums[x]! + Math.imul(rows[a + x]!, w0) + Math.imul(rows[b + x]!, w1)) | 0;
      }
    }
    if (k < n) {
      const w0 = weights[w + k]!;
      const a = start + k * length;
      for (let x = 0; x < length; x++) sums[x] = (sums[x]! + Math.imul(rows[a + x]!, w0)) | 0;
    }
    for (let x = 0; x < length; x++) out[at + x] = sums[x]! >> PRECISION_BITS;
  }
  return out;
}

/**
 * The part `window` of what PIL's `image.crop(crop).resize(size, INTERPOLATION)` gives: shape [window.height, window.width, 3].
 * Pixels outside of the crop have no influence. Only the pixels that the window needs are computed.
 * @param window within `size`; all of it by default
 */
export function resample(
  image: RgbImage,
  crop: Box,
  size: Size,
  interpolation: Interpolation,
  window: Box = { left: 0, top: 0, width: size.width, height: size.height },
): Uint8Array {
  const filter = FILTERS[interpolation];
  const across = axisOf(filter, crop.width, size.width, window.left, window.width);
  const down = axisOf(filter, crop.height, size.height, window.top, window.height);
  const firstRow = down.first[0]!;
  const lastRow = down.first[window.height - 1]! + down.taps[window.height - 1]!;
  const rows = horizontal(image, crop.left, crop.top + firstRow, lastRow - firstRow, across);
  return new Uint8Array(vertical(rows, window.width * 3, firstRow, down).buffer);
}
