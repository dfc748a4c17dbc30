/** Copies of a tensor's data in another arrangement. */
import type * as tf from '@tensorflow/tfjs-core';
import type { NativeBackend } from '../native-backend.js';
import { output } from './kernel.js';
import { stridesOf } from './strides.js';

/** For each index of `shape`, the position of the element in x. */
export interface Arrangement {
  readonly shape: readonly number[];
  readonly stridesX: readonly number[];
  readonly offsetX?: number;
}

/** A new tensor whose elements, in row-major order of `arrangement.shape`, come from x; stored as x is. */
export function rearranged(
  backend: NativeBackend,
  x: tf.TensorInfo,
  resultShape: number[],
  arrangement: Arrangement,
): tf.TensorInfo {
  const { buffer, storage } = backend.record(x);
  const stridesY = stridesOf(arrangement.shape);
  return output(
    backend,
    resultShape,
    x.dtype,
    (y) => {
      backend.kernels.stridedCopy({ x: buffer, y, stridesY, ...arrangement });
    },
    storage,
  );
}

/** x repeated along its dimensions of size 1 to `shape`, which has the same number of dimensions. */
export function repeated(backend: NativeBackend, x: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  const strides = stridesOf(x.shape);
  const stridesX = shape.map((_, d) => (x.shape[d] === 1 ? 0 : strides[d]!));
  return rearranged(backend, x, shape, { shape, stridesX });
}
