/**
 * Copies small results of a GPU through registered memory, so that the copy waits for the kernels and Node
 * does not.
 */
import type { DeviceCopyKernels } from '../../kernels/kernel-api/device-copies.js';
import type { DeviceBuffer } from '../../kernels/kernel-api/memory.js';

/** The most bytes of one result. Registered memory is lost for all other processes. */
export const MOST_STAGED_BYTES = 2 ** 20;

const LEAST_BYTES = 2 ** 12;

export class HostStaging {
  readonly #kernels: Pick<DeviceCopyKernels, 'registerHost' | 'readRange'>;
  /**
   * Free pieces by their size in bytes, a power of two. They are never freed, because registering takes
   * longer than copying.
   */
  readonly #idle = new Map<number, SharedArrayBuffer[]>();

  constructor(kernels: Pick<DeviceCopyKernels, 'registerHost' | 'readRange'>) {
    this.#kernels = kernels;
  }

  /**
   * Copies the start of a buffer, as it is after all kernels so far. The buffer may be released at once.
   * @param values written when the promise settles, at most MOST_STAGED_BYTES
   */
  async read<V extends Float32Array | Int32Array | Uint8Array>(buffer: DeviceBuffer, values: V): Promise<V> {
    const memory = this.#take(values.byteLength);
    const { length } = values;
    const staged = sameType(values, memory);
    await this.#kernels.readRange({ buffer, offset: 0, length, values: staged, valuesOffset: 0 });
    values.set(staged);
    this.#idle.get(memory.byteLength)!.push(memory);
    return values;
  }

  #take(bytes: number): SharedArrayBuffer {
    let size = LEAST_BYTES;
    while (size < bytes) size *= 2;
    const idle = this.#idle.get(size) ?? [];
    this.#idle.set(size, idle);
    const found = idle.pop();
    if (found !== undefined) return found;
    const memory = new SharedArrayBuffer(size);
    this.#kernels.registerHost({ array: new Uint8Array(memory) });
    return memory;
  }
}

function sameType(
  values: Float32Array | Int32Array | Uint8Array,
  memory: SharedArrayBuffer,
): Float32Array | Int32Array | Uint8Array {
  if (values instanceof Float32Array) return new Float32Array(memory, 0, values.length);
  if (values instanceof Int32Array) return new Int32Array(memory, 0, values.length);
  return new Uint8Array(memory, 0, values.length);
}
