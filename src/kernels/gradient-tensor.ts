/** The gradient of one tensor where it was computed: on the host, or in a buffer of the native kernels. */
import type { DeviceBuffer } from './kernel-api/memory.js';

/** Lives as long as the call it is passed to. */
export interface GradientTensor {
  readonly length: number;
  /** [length], f32, of this thread's kernels; undefined where another backend computed it. Not to be written to. */
  readonly buffer: DeviceBuffer | undefined;
  /** [length]; reads it back where there is a buffer. The array may be kept, but not written to. */
  hostValues(): Float32Array;
}

/** A gradient that lies on the host. */
export function hostGradient(values: Float32Array): GradientTensor {
  return { length: values.length, buffer: undefined, hostValues: () => values };
}
