/** How arrays of the host become tensors of the active backend. */
import * as tf from '@tensorflow/tfjs-core';

export interface Placement {
  /** A tensor of the values at `from`, which may be a view on shared memory. */
  readonly place: (from: Float32Array, shape: [number] | [number, number]) => tf.Tensor;
  /** Keep a transposed copy of every weight matrix. */
  readonly transposed: boolean;
}

/** As copies. */
export const copied: Placement = {
  // slice() copies: the cpu backend would keep the array itself, and the others refuse shared memory.
  place: (from, shape) => tf.tensor(from.slice(), shape, 'float32'),
  transposed: true,
};
