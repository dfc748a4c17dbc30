/** Values in buffers of the native kernels, in either floating-point storage. */
import { STORAGE, type DeviceBuffer } from '../../src/kernels/kernel-api/memory.js';
import type { Kernels } from '../../src/kernels/kernel-api.js';

export type FloatStorage = 'f32' | 'bf16';
export const FLOAT_STORAGES: readonly FloatStorage[] = ['f32', 'bf16'];

/** The upper halves of the floats, rounded to nearest, halves to even. */
function halves(values: Float32Array): Uint16Array {
  const words = new Uint32Array(Float32Array.from(values).buffer);
  return Uint16Array.from(words, (word, i) => {
    if (Number.isNaN(values[i])) return (word >>> 16) | 0x40;
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}

function widened(upper: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(upper, (half) => half << 16).buffer);
}

/** What is left of `values` when they are stored. */
export function stored(values: Float32Array, storage: FloatStorage): Float32Array {
  return storage === 'f32' ? values : widened(halves(values));
}

export function upload(kernels: Kernels, values: Float32Array, storage: FloatStorage): DeviceBuffer {
  const buffer = kernels.allocate({ length: values.length, storage: STORAGE[storage] });
  kernels.write({ buffer, values: storage === 'f32' ? values : halves(values) });
  return buffer;
}

/** The buffer's first `length` values; it is released. */
export function takeBack(
  kernels: Kernels,
  buffer: DeviceBuffer,
  length: number,
  storage: FloatStorage,
): Float32Array {
  const values = storage === 'f32' ? new Float32Array(length) : new Uint16Array(length);
  kernels.read({ buffer, values });
  kernels.release(buffer);
  return values instanceof Float32Array ? values : widened(values);
}
