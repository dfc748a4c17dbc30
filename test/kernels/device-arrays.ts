/** Typed arrays in buffers of a device and back. */
import { STORAGE, type DeviceBuffer } from '../../src/kernels/kernel-api/memory.js';
import type { Kernels } from '../../src/kernels/kernel-api.js';

export type Words = Float32Array | Int32Array;

/** A buffer with these values, f32 or i32. */
export function held(kernels: Kernels, values: Words): DeviceBuffer {
  const storage = values instanceof Float32Array ? STORAGE.f32 : STORAGE.i32;
  const buffer = kernels.allocate({ length: values.length, storage });
  kernels.write({ buffer, values });
  return buffer;
}

/** The buffer's first elements, as many as `like` has, as such an array. */
export function contents<W extends Words>(kernels: Kernels, buffer: DeviceBuffer, like: W): W {
  const values = like.slice().fill(0) as W;
  kernels.read({ buffer, values });
  return values;
}

/** Arrays by name in buffers, for one call. */
export function withBuffers<N extends string>(
  kernels: Kernels,
  arrays: Readonly<Record<N, Words>>,
  body: (buffers: Record<N, DeviceBuffer>) => void,
): void {
  const entries = Object.entries<Words>(arrays).map(([name, values]) => [name, held(kernels, values)]);
  const buffers = Object.fromEntries(entries) as Record<N, DeviceBuffer>;
  try {
    body(buffers);
  } finally {
    for (const buffer of Object.values<DeviceBuffer>(buffers)) kernels.release(buffer);
  }
}
