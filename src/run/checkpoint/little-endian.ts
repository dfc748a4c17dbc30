/** Float32 arrays as the little-endian bytes that files and digests hold. */

const NATIVE_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * The bytes of `values`, least significant byte first: a view of the same memory on a little-endian machine,
 * a swapped copy on others.
 */
export function littleEndianBytes(values: Float32Array, native = NATIVE_LITTLE_ENDIAN): Uint8Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return native ? bytes : Buffer.from(bytes).swap32();
}

/**
 * Converts little-endian bytes that were read into the memory of `values` to this machine's byte order, in
 * place.
 */
export function fromLittleEndian(values: Float32Array, native = NATIVE_LITTLE_ENDIAN): void {
  if (!native) Buffer.from(values.buffer, values.byteOffset, values.byteLength).swap32();
}
