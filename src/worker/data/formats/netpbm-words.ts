/** Reads the pixels of plain PBM, PGM and PPM files, where they are written as text. */
import type { Refused } from './image-kind.js';
import { isBlank } from './netpbm-header.js';

const [NUL, ONE] = [48, 49];
const HASH = 35;
const MOST_DIGITS = 10;

/** The position of the line after the comment at `at`. */
function afterComment(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end] !== 10 && bytes[end] !== 13) end++;
  return end + 1;
}

/** `count` bits, with or without blanks between them; null if the file is too short. */
export function plainBits(bytes: Uint8Array, from: number, count: number): Uint8Array | Refused | null {
  if (bytes.length - from < count) return null;
  const bits = new Uint8Array(count);
  let found = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === HASH) at = afterComment(bytes, at) - 1;
    else if (byte === NUL || byte === ONE) {
      if (found < count) bits[found++] = byte - NUL;
    } else if (!isBlank(byte)) {
      return { refused: `byte ${at} is neither 0 nor 1` };
    }
  }
  return found < count ? null : bits;
}

/** `count` numbers of at most `maxValue`; null if the file is too short. */
export function plainNumbers(
  bytes: Uint8Array,
  from: number,
  { count, maxValue }: { readonly count: number; readonly maxValue: number },
): Uint16Array | Refused | null {
  // Each number needs a digit and a blank, so nothing is allocated for more pixels than the file can hold.
  if (bytes.length - from < count * 2 - 1) return null;
  const values = new Uint16Array(count);
  let found = 0;
  let at = from;
  while (found < count) {
    while (at < bytes.length && isBlank(bytes[at])) at++;
    if (at >= bytes.length) return null;
    if (bytes[at] === HASH) {
      at = afterComment(bytes, at);
      continue;
    }
    const start = at;
    let value = 0;
    while (at < bytes.length && !isBlank(bytes[at]) && bytes[at] !== HASH) {
      const digit = bytes[at]! - NUL;
      if (digit < 0 || digit > 9) return { refused: `byte ${at} is no digit` };
      value = value * 10 + digit;
      at++;
      if (at - start > MOST_DIGITS) return { refused: `the number at byte ${start} is too long` };
    }
    if (value > maxValue)
      return { refused: `the number at byte ${start} is ${value}, more than ${maxValue}` };
    values[found++] = value;
  }
  return values;
}
