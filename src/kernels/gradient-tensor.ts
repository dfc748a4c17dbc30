/** The gradient of one tensor where it was computed: on the host, or in a buffer of the native kernels. */
import type { DeviceBuffer } from './kernel-api/memory.js';

/** A gradient that is valid only during the call that it is passed to. */
export interface GradientTensor {
  readonly length: number;
  /**
   * [length], f32, a buffer of this thread's kernels; undefined if another backend computed it. It must not
   * be written to.
   */
  readonly buffer: DeviceBuffer | undefined;
  /** [length]. If there is a buffer, reads it back. The array may be kept, but must not be written to. */
  hostValues(): Float32Array;
}

/** A gradient that lies on the host. */
export function hostGradient(values: Float32Array): GradientTensor {
  return { length: values.length, buffer: undefined, hostValues: () => values };
}
