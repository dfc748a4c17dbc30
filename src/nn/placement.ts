/** Turns arrays of JavaScript into tensors of the active backend. */
import { tf } from './tfjs.js';
import type { ParameterSlot } from '../run/model/parameter-layout.js';

export interface Placement {
  /** A tensor of the values at `from`, which may be a view on shared memory. */
  readonly place: (from: Float32Array, shape: [number] | [number, number]) => tf.Tensor;
  /** Keep a transposed copy of every weight matrix. */
  readonly transposed: boolean;
  /** A copy of a weight matrix in the storage that gemms use, if that is worth keeping. */
  readonly operand?: (weight: tf.Tensor2D) => tf.Tensor2D;
}

/** The source of a model's parameters. */
export interface WeightSource {
  /** A new tensor of the slot's values, for the caller to dispose of. */
  readonly tensor: (slot: ParameterSlot, shape: [number] | [number, number]) => tf.Tensor;
  /** The same for the slot's matrix in the storage that gemms use; undefined if that is not kept. */
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

/** A placement that copies. */
export const copied: Placement = {
  // slice() copies, because the cpu backend would keep the array itself, and the others refuse shared memory.
  place: (from, shape) => tf.tensor(from.slice(), shape, 'float32'),
  transposed: true,
};
