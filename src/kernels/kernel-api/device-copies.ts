/**
 * Ranges of a GPU's buffers: cleared, copied to one another, and copied from and to the host while Node goes on.
 *
 * A copy that returns a promise begins when all kernels so far are done, and runs while later ones do. Until its promise
 * is settled, nobody may write to its range on either side, or read the range that it writes; nothing checks this. A
 * buffer may be released before, because its memory is used again only after the copy. All lengths and offsets are in
 * elements. A call that does not fit throws a TypeError that names the field. A promise is rejected if the GPU fails.
 */
import type { DeviceBuffer, HostArray } from './memory.js';

/** [length] elements from `offset` in the buffer, and from `valuesOffset` in the array. */
export interface HostRange {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
  readonly length: number;
  /** An array on registered memory, of the buffer's type (Uint16Array for bf16). */
  readonly values: HostArray;
  readonly valuesOffset: number;
}

export interface DeviceCopyKernels {
  /** Sets all bits of the buffer to zero, in the order of the kernels. */
  clear(by: { readonly buffer: DeviceBuffer }): void;
  /**
   * Copies between two buffers of the same type, or within one if the ranges do not overlap, in the order of
   * the kernels.
   */
  copyRange(by: {
    readonly from: DeviceBuffer;
    readonly fromOffset: number;
    readonly to: DeviceBuffer;
    readonly toOffset: number;
    readonly length: number;
  }): void;
  /**
   * Pins the array's memory, so that the GPU can copy from and to it. It must lie on a SharedArrayBuffer, which is kept
   * alive until `unregisterHost`. This is slow, because it visits every page, so it is for memory that is used for long.
   * @throws Error if the system cannot pin more
   */
  registerHost(by: { readonly array: HostArray | Float64Array }): void;
  /** Takes the same array as `registerHost`; waits for the copies under way. */
  unregisterHost(by: { readonly array: HostArray | Float64Array }): void;
  /** Copies from the GPU. Copies in the same direction are done in the order of the calls. */
  readRange(by: HostRange): Promise<void>;
  /** Copies to the GPU. */
  writeRange(by: HostRange): Promise<void>;
}
