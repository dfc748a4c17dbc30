/** Reads the header of a PBM, PGM or PPM file as PIL does. */
import { sizeRefusal, type Refused } from './image-kind.js';

export interface NetpbmHeader {
  readonly width: number;
  readonly height: number;
  readonly kind: 'bits' | 'grey' | 'rgb';
  /** Whether pixels are written as text. */
  readonly plain: boolean;
  /** The value of white; 1 in a PBM. */
  readonly maxValue: number;
  /** Where the pixels begin in the file. */
  readonly at: number;
}

const MOST_DIGITS = 10;
const NEW_LINES = [10, 13];

export function isBlank(byte: number | undefined): boolean {
  return byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);
}

/** The next word from `at` on, skipping comments, and the position after it; null at the end of the file. */
function wordAt(bytes: Uint8Array, from: number): { readonly word: string; readonly next: number } | null {
  let word = '';
  let at = from;
  while (at < bytes.length && word.length <= MOST_DIGITS) {
    const byte = bytes[at++]!;
    if (isBlank(byte)) {
      if (word !== '') break;
    } else if (byte === 35) {
      while (at < bytes.length && !NEW_LINES.includes(bytes[at]!)) at++;
      at++;
    } else {
      word += String.fromCharCode(byte);
    }
  }
  return word === '' ? null : { word, next: at };
}

/** The header of the file `bytes`, or why it cannot be used. */
export function netpbmHeader(bytes: Uint8Array): NetpbmHeader | Refused {
  const magic = bytes[1]! - 48;
  const kind = (['bits', 'grey', 'rgb'] as const)[(magic - 1) % 3]!;
  const numbers: number[] = [];
  let at = 3;
  for (let wanted = kind === 'bits' ? 2 : 3; wanted > 0; wanted--) {
    const found = wordAt(bytes, at);
    if (found === null) return { refused: `the P${magic} file ends within its header` };
    const { word, next } = found;
    if (!/^\d{1,10}$/.test(word))
      return { refused: `the header of the P${magic} file says ${JSON.stringify(word)}` };
    numbers.push(Number(word));
    at = next;
  }
  const [width, height, maxValue] = [numbers[0]!, numbers[1]!, numbers[2] ?? 1];
  const tooLarge = sizeRefusal(width, height);
  if (tooLarge !== null) return { refused: tooLarge };
  if (maxValue < 1 || maxValue > 65_535) {
    return { refused: `the header of the P${magic} file says ${maxValue} for white` };
  }
  return { width, height, kind, plain: magic <= 3, maxValue, at };
}
