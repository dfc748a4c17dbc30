/** Float32 arrays as the little-endian bytes that files and digests hold. */

const NATIVE_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The bytes of `values`, least significant byte first: a view on the same memory where the machine is
 * little-endian, a swapped copy elsewhere.
 */
export function littleEndianBytes(values: Float32Array, native = NATIVE_LITTLE_ENDIAN): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return native ? bytes : Buffer.from(bytes).swap32();
}

/** Turns little-endian bytes just read into the memory of `values` into numbers of this machine, in place. */
export function fromLittleEndian(values: Float32Array, native = NATIVE_LITTLE_ENDIAN): void {
  if (!native) Buffer.from(values.buffer, values.byteOffset, values.byteLength).swap32();
}
