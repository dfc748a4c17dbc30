/** Buffers of a device, and how it works. */

declare const handle: unique symbol;

/** Names memory on the device by a number. A buffer that was released is recognised and refused. */
export type DeviceBuffer = number & { readonly [handle]: true };

/** How elements are stored; booleans are u8. */
export const STORAGE = { f32: 0, bf16: 1, i32: 2, u8: 3 } as const;
export type Storage = (typeof STORAGE)[keyof typeof STORAGE];

export interface MemoryStatistics {
  /** Bytes of buffers in use, in the sizes that were asked for. */
  readonly bytesInUse: number;
  /** Bytes taken from the system, in use or kept for later. */
  readonly bytesReserved: number;
  /**
   * The most bytes that buffers in use took since the start or since `trimMemory`, in the sizes that were
   * allocated.
   */
  readonly peakBytesTaken: number;
  /** Buffers and scratch blocks. */
  readonly blocksInUse: number;
}

export interface DeviceSettings {
  /** One of `levels()`. */
  readonly level?: string;
  /** Threads that share a kernel's work, including the caller's. Results do not depend on it. */
  readonly threads?: number;
}

export interface MemoryKernels {
  /** @throws RangeError when there is no memory left */
  allocate(by: { readonly length: number; readonly storage: Storage }): DeviceBuffer;
  /**
   * A view: a second buffer on elements [offset, offset + length) of another, or on all of it. The other one must be
   * released after all its views.
   * @param by.storage another type of the same size, so that a gradient can overwrite its sums
   */
  view(by: {
    readonly buffer: DeviceBuffer;
    readonly offset?: number;
    readonly length?: number;
    readonly storage?: Storage;
  }): DeviceBuffer;
  release(buffer: DeviceBuffer): void;
  /** Copies to the start of the buffer. The array has the buffer's type (Uint16Array for bf16). */
  write(by: { readonly buffer: DeviceBuffer; readonly values: HostArray }): void;
  /** Copies the start of the buffer to `values`. */
  read(by: { readonly buffer: DeviceBuffer; readonly values: HostArray }): void;
  memory(): MemoryStatistics;
  /** Gives memory that is kept for later back to the system, and starts measuring a new peak. */
  trimMemory(): void;
  /** Sets of kernels that this processor can run, the lowest first: portable, avx2, avx512, avx512-bf16. */
  levels(): string[];
  configure(by: DeviceSettings): Required<DeviceSettings>;
}

/** Memory of a processor, which can compute in place on arrays of JavaScript. */
export interface HostMemoryKernels {
  /** A buffer on the memory of `values`, which may be shared memory. Nothing is copied. */
  wrap(by: { readonly values: Float32Array | Int32Array }): DeviceBuffer;
}

/** Of a GPU. */
export interface GpuSettings {
  configure(by: DeviceSettings & { readonly device?: number }): Required<DeviceSettings>;
  /** The GPUs of this machine. Opens none of them. */
  devices(): GpuList;
  /** Waits for all kernels so far. */
  synchronise(): void;
}

export interface GpuList {
  readonly devices: readonly GpuDevice[];
  /**
   * CUDA versions as 1000 major + 10 minor, 0 if unknown: the newest that the driver supports, and that of
   * the build.
   */
  readonly driver: number;
  readonly runtime: number;
  /** Why there are none; empty if there are some. */
  readonly problem: string;
}

export interface GpuDevice {
  readonly ordinal: number;
  readonly name: string;
  readonly memoryBytes: number;
  /** Compute capability: 10 major + minor. */
  readonly capability: number;
  readonly multiprocessors: number;
  /** Why the kernels cannot run on it; empty if they can. */
  readonly problem: string;
}

export type HostArray = Float32Array | Int32Array | Uint8Array | Uint16Array;
