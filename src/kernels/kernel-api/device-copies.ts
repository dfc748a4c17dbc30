/**
 * Ranges of a GPU's buffers: cleared, copied to one another, and copied from and to the host while Node goes on.
 *
 * Copies that are awaited begin when all kernels so far are done and run beside later ones. Until its promise is
 * settled, a copy's range on either side must not be written to, nor read where the copy writes it: nothing checks
 * that. A buffer may be released before: its memory is used again only after the copy. All lengths and offsets are in
 * elements, and a call that does not fit throws a TypeError that names the field; a promise is rejected where the GPU
 * fails.
 */
import type { DeviceBuffer, HostArray } from './memory.js';

/** [length] elements from `offset` in the buffer, and from `valuesOffset` in the array. */
export interface HostRange {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
  readonly length: number;
  /** On registered memory; of the buffer's type, Uint16Array for bf16. */
  readonly values: HostArray;
  readonly valuesOffset: number;
}

export interface DeviceCopyKernels {
  /** Sets all bits of the buffer to zero, in the order of the kernels. */
  clear(by: { readonly buffer: DeviceBuffer }): void;
  /** Copies between two buffers of one type, or within one where the ranges do not overlap, in the order of the kernels. */
  copyRange(by: {
    readonly from: DeviceBuffer;
    readonly fromOffset: number;
    readonly to: DeviceBuffer;
    readonly toOffset: number;
    readonly length: number;
  }): void;
  /**
   * Pins the array's memory, so that the GPU copies from and to it by itself. It must lie on a SharedArrayBuffer, which
   * is kept alive until `unregisterHost`. Slow (it walks through all pages): once for memory that is used all along.
   * @throws Error where the system pins no more
   */
  registerHost(by: { readonly array: HostArray | Float64Array }): void;
  /** Takes the same array as `registerHost`; waits for the copies under way. */
  unregisterHost(by: { readonly array: HostArray | Float64Array }): void;
  /** Copies from the GPU. Copies of one direction are done in the order in which they were asked for. */
  readRange(by: HostRange): Promise<void>;
  /** Copies to the GPU. */
  writeRange(by: HostRange): Promise<void>;
}
