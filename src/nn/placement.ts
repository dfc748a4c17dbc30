/** How arrays of the host become tensors of the active backend. */
import { tf } from './tfjs.js';
import type { ParameterSlot } from '../run/model/parameter-layout.js';

export interface Placement {
  /** A tensor of the values at `from`, which may be a view on shared memory. */
  readonly place: (from: Float32Array, shape: [number] | [number, number]) => tf.Tensor;
  /** Keep a transposed copy of every weight matrix. */
  readonly transposed: boolean;
  /** A copy of a weight matrix as products take it, where that is worth keeping. */
  readonly operand?: (weight: tf.Tensor2D) => tf.Tensor2D;
}

/** Where a model's parameters come from. */
export interface WeightSource {
  /** A new tensor of the slot's values, for the caller to dispose of. */
  readonly tensor: (slot: ParameterSlot, shape: [number] | [number, number]) => tf.Tensor;
  /** Likewise the slot's matrix as products take it; undefined where that is not kept. */
  readonly operand: (slot: ParameterSlot, weight: tf.Tensor2D) => tf.Tensor2D | undefined;
  readonly transposed: boolean;
}

/** @param flat in layout order */
export function placedWeights(flat: Float32Array, placement: Placement): WeightSource {
  return {
    tensor: (slot, shape) => placement.place(flat.subarray(slot.offset, slot.offset + slot.length), shape),
    operand: (_, weight) => placement.operand?.(weight),
    transposed: placement.transposed,
  };
}

/** As copies. */
export const copied: Placement = {
  // slice() copies: the cpu backend would keep the array itself, and the others refuse shared memory.
  place: (from, shape) => tf.tensor(from.slice(), shape, 'float32'),
  transposed: true,
};
