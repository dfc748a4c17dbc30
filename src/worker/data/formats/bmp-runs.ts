/** Unpacks run-length encoded BMP pixels, RLE8 and RLE4, as PIL does. */

/** A growing list of palette indices that never exceeds `size`. */
class Indices {
  readonly values: Uint8Array;
  length = 0;

  constructor(size: number) {
    this.values = new Uint8Array(size);
  }

  get missing(): number {
    return this.values.length - this.length;
  }

  add(value: number): void {
    if (this.missing > 0) this.values[this.length++] = value;
  }

  /** Adds zeros, for pixels that a jump leaves out. */
  skip(count: number): void {
    this.length += Math.min(count, this.missing);
  }
}

/**
 * Palette indices in the order of the file.
 * @returns shape [height, width]; null if the runs end before the image does
 */
export function unpackRuns(
  bytes: Uint8Array,
  from: number,
  { width, height, nibbles }: { readonly width: number; readonly height: number; readonly nibbles: boolean },
): Uint8Array | null {
  const out = new Indices(width * height);
  const pair = (byte: number, index: number): number => {
    if (!nibbles) return byte;
    return index % 2 === 0 ? byte >> 4 : byte & 15;
  };
  let at = from;
  let x = 0;
  while (out.missing > 0 && at + 2 <= bytes.length) {
    const count = bytes[at]!;
    const value = bytes[at + 1]!;
    at += 2;
    if (count > 0) {
      // A run does not continue in the next row.
      const run = Math.max(0, Math.min(count, width - x));
      for (let i = 0; i < run; i++) out.add(pair(value, i));
      x += run;
    } else if (value === 0) {
      out.skip((width - (out.length % width)) % width);
      x = 0;
    } else if (value === 1) {
      break;
    } else if (value === 2) {
      if (at + 2 > bytes.length) break;
      out.skip(bytes[at]! + bytes[at + 1]! * width);
      at += 2;
      x = out.length % width;
    } else {
      const pixels = Math.min(value, out.missing);
      const stored = nibbles ? (pixels + 1) >> 1 : pixels;
      if (at + stored > bytes.length) break;
      for (let i = 0; i < pixels; i++) out.add(pair(bytes[at + (nibbles ? i >> 1 : i)]!, i));
      x += value;
      at += stored;
      // Literal pixels fill whole words of 16 bits.
      if (at % 2 === 1) at++;
    }
  }
  return out.missing > 0 ? null : out.values;
}
