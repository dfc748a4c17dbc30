/** A linear layer, y = x W^T + b, and its gradients. */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';

export interface LinearWeights {
  /** [out, in], PyTorch's layout. */
  readonly weight: tf.Tensor2D;
  /**
   * [in, out], computed once for each weight update. The wasm backend multiplies plain matrices ten times
   * faster than transposed ones, and keeps the right-hand one packed while its tensor lives. Undefined for
   * backends where that does not matter.
   */
  readonly weightT: tf.Tensor2D | undefined;
  /** `weight` in the storage that the backend's gemms use, if the backend keeps that. */
  readonly operand?: tf.Tensor2D | undefined;
  /** [out]; undefined for a layer without one */
  readonly bias: tf.Tensor1D | undefined;
}

/** The layer's parameters, in the order of their gradients. */
export function parametersOf({ weight, bias }: Pick<LinearWeights, 'weight' | 'bias'>): tf.Tensor[] {
  return bias === undefined ? [weight] : [weight, bias];
}

/** [T, in] -> [T, out], without a record on the tape. */
export function affine(x: tf.Tensor2D, { weight, weightT, bias }: LinearWeights): tf.Tensor2D {
  const added = bias === undefined ? {} : { bias };
  if (weightT === undefined)
    return tf.fused.matMul({ a: x, b: weight, transposeB: true, ...added }) as tf.Tensor2D;
  return tf.fused.matMul({ a: x, b: weightT, ...added }) as tf.Tensor2D;
}

/**
 * Gradients of weight [out, in] and bias [out] from dy [T, out] and x [T, in]. The narrower matrix is the
 * right operand, because wasm packs that side first, and for long columns packing takes as long as the gemm
 * itself.
 */
export function affineGradients(dy: tf.Tensor2D, x: tf.Tensor2D): [tf.Tensor2D, tf.Tensor1D] {
  if (dy.shape[1] < x.shape[1]) {
    return [tf.transpose(tf.matMul<tf.Tensor2D>(tf.transpose(x), dy)), tf.sum(dy, 0)];
  }
  const dyT = tf.transpose(dy);
  return [tf.matMul(dyT, x), tf.sum(dyT, 1)];
}

/** [T, in] -> [T, out] */
export function linear(tape: Tape | undefined, x: tf.Tensor2D, weights: LinearWeights): tf.Tensor2D {
  const y = affine(x, weights);
  tape?.record({
    output: y,
    inputs: [x, ...parametersOf(weights)],
    saved: [x],
    backward: (dy, [savedX]) => {
      const rows = dy as tf.Tensor2D;
      const [dWeight, dBias] = affineGradients(rows, savedX);
      const dx = tf.matMul<tf.Tensor2D>(rows, weights.weight);
      return weights.bias === undefined ? [dx, dWeight] : [dx, dWeight, dBias];
    },
  });
  return y;
}
