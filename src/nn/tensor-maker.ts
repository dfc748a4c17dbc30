/** Turns arrays of JavaScript into tensors of the active backend. */
import { tf } from './tfjs.js';
import type { ParameterSlot } from '../run/model/parameter-layout.js';

export interface TensorMaker {
  /** A tensor of the values at `from`, which may be a view on shared memory. */
  readonly make: (from: Float32Array, shape: [number] | [number, number]) => tf.Tensor;
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
export function weightsFrom(flat: Float32Array, maker: TensorMaker): WeightSource {
  return {
    tensor: (slot, shape) => maker.make(flat.subarray(slot.offset, slot.offset + slot.length), shape),
    operand: (_, weight) => maker.operand?.(weight),
    transposed: maker.transposed,
  };
}

/** Makes tensors by copying the values. */
export const copyingMaker: TensorMaker = {
  // slice() copies, because the cpu backend would keep the array itself, and the others refuse shared memory.
  make: (from, shape) => tf.tensor(from.slice(), shape, 'float32'),
  transposed: true,
};
