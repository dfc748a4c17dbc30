/** The types of numbers in weight files, by safetensors' names, and their values as float32. */

/** Bytes of one element. */
const WIDTHS = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

export type ElementType = keyof typeof WIDTHS;

/** Types that weights have. The others are those of counters and masks beside them. */
const FLOATS = ['F64', 'F32', 'F16', 'BF16'] as const;
export type FloatType = (typeof FLOATS)[number];

export function isElementType(name: unknown): name is ElementType {
  return typeof name === 'string' && Object.hasOwn(WIDTHS, name);
}

export function isFloatType(type: ElementType): type is FloatType {
  return FLOATS.some((float) => float === type);
}

/** In bytes. */
export function elementWidth(type: ElementType): number {
  return WIDTHS[type];
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** The value of 16 bits of IEEE half precision: 1 sign, 5 exponent, 10 fraction bits. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Little-endian elements as float32, which holds every F16 and BF16 exactly; F64 is rounded.
 * @param bytes a whole number of elements
 */
export function floatsOf(bytes: Uint8Array, type: FloatType): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(bytes.byteLength / elementWidth(type));
  if (type === 'F32') for (let i = 0; i < out.length; i++) out[i] = view.getFloat32(4 * i, true);
  else if (type === 'F64') for (let i = 0; i < out.length; i++) out[i] = view.getFloat64(8 * i, true);
  else if (type === 'F16')
    for (let i = 0; i < out.length; i++) out[i] = halfValue(view.getUint16(2 * i, true));
  else {
    // BF16 is the upper half of a float32.
    const upper = new Uint32Array(out.buffer);
    for (let i = 0; i < out.length; i++) upper[i] = view.getUint16(2 * i, true) * 2 ** 16;
  }
  return out;
}
