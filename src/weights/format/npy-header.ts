/**
 * The header of a NumPy array in a file.
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
 */
import { elementCount, elementWidth, type ElementType } from './element-types.js';

export interface NpyHeader {
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Whether the first axis varies fastest, as in Fortran. */
  readonly firstAxisFastest: boolean;
  /** Where the elements begin, and how many bytes they take. */
  readonly start: number;
  readonly bytes: number;
}

/** Magic, version, and the length of what follows, which has 2 or 4 bytes. */
const MAGIC = '\x93NUMPY';
/** As much of a file as the header of an array of weights takes at most. */
export const NPY_HEADER_READ = 4096;

/** Type codes, all little-endian. NumPy has no name for BF16, so vit_jax's files call it two bytes of anything. */
const TYPES: Readonly<Record<string, ElementType>> = {
  '<f8': 'F64',
  '<f4': 'F32',
  '<f2': 'F16',
  '|V2': 'BF16',
  '<i8': 'I64',
  '<i4': 'I32',
  '<i2': 'I16',
  '|i1': 'I8',
  '<u8': 'U64',
  '<u4': 'U32',
  '<u2': 'U16',
  '|u1': 'U8',
  '|b1': 'BOOL',
};

/** @param bytes the beginning of the array's file; all of it, or NPY_HEADER_READ bytes. @returns or what is wrong */
export function decodeNpyHeader(bytes: Uint8Array): NpyHeader | string {
  if (bytes.length < 12 || new TextDecoder('latin1').decode(bytes.subarray(0, 6)) !== MAGIC) {
    return 'is not a NumPy array';
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6]!;
  if (version < 1 || version > 3) return `has version ${version} of NumPy's format`;
  const textStart = version === 1 ? 10 : 12;
  const start = textStart + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > bytes.length) return `has a header of ${start} bytes`;
  const text = new TextDecoder('latin1').decode(bytes.subarray(textStart, start));
  const code = /'descr': *'([^']*)'/.exec(text)?.[1];
  if (code === undefined) return 'has no type, or one of several fields';
  const type = Object.hasOwn(TYPES, code) ? TYPES[code] : undefined;
  if (type === undefined) return `has elements of type ${JSON.stringify(code)}`;
  const order = /'fortran_order': *(True|False)/.exec(text)?.[1];
  const sides = /'shape': *\(([\d, ]*)\)/.exec(text)?.[1];
  if (order === undefined || sides === undefined) return 'has no shape';
  const shape = sides
    .split(',')
    .map((side) => side.trim())
    .filter((side) => side !== '')
    .map(Number);
  const elements = elementCount(shape) * elementWidth(type);
  if (!Number.isSafeInteger(elements)) return `has the shape [${shape.join(', ')}]`;
  return { shape, type, firstAxisFastest: order === 'True', start, bytes: elements };
}
