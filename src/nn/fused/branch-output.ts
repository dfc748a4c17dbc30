/**
 * The last linear layer of a branch. LayerScale is part of it, because gamma (W x + b) = (diag(gamma) W) x + gamma b: the
 * branch costs no pass over activations, and the factors are multiplied with fp32 weights before these are rounded.
 */
import { tf } from '../tfjs.js';
import { bf16Copy, bufferOf } from '../backend/tensor-buffers.js';
import { parametersOf, type LinearWeights } from '../ops/linear.js';
import type { DenseWeights, FusedDevice } from './device.js';

export class BranchOutput {
  readonly #device: FusedDevice;
  readonly #weights: LinearWeights;
  readonly #scale: tf.Tensor1D | undefined;

  /** @param scale [out]: LayerScale's factors; undefined for a model without LayerScale */
  constructor(device: FusedDevice, weights: LinearWeights, scale: tf.Tensor1D | undefined) {
    this.#device = device;
    this.#weights = weights;
    this.#scale = scale;
  }

  /** In the order of `gradients`. */
  get parameters(): tf.Tensor[] {
    const own = parametersOf(this.#weights);
    return this.#scale === undefined ? own : [...own, this.#scale];
  }

  /** The weights that gemms take; to be called inside a tidy. They are computed for each use, which is cheaper than to keep them. */
  folded(): DenseWeights {
    const { weight, bias, operand } = this.#weights;
    const scale = this.#scale;
    if (scale === undefined) return this.#weights;
    const folded = tf.mul<tf.Tensor2D>(weight, tf.reshape(scale, [weight.shape[0], 1]));
    return {
      weight: folded,
      operand: operand && bf16Copy(bufferOf(folded), folded.shape),
      bias: bias && tf.mul<tf.Tensor1D>(bias, scale),
    };
  }

  /** Of the parameters, from the gradient dy [T, out] of the output and the input x [T, in]. */
  gradients(dy: tf.Tensor2D, x: tf.Tensor2D): tf.Tensor[] {
    const { weight, bias } = this.#weights;
    const scale = this.#scale;
    const [dFolded, dFoldedBias] = this.#device.linearGradients(dy, x);
    if (scale === undefined) return bias === undefined ? [dFolded] : [dFolded, dFoldedBias];
    const dWeight = tf.mul(dFolded, tf.reshape(scale, [weight.shape[0], 1]));
    const ofWeight = tf.sum(tf.mul(dFolded, weight), 1);
    if (bias === undefined) return [dWeight, ofWeight];
    return [dWeight, tf.mul(dFoldedBias, scale), tf.add(ofWeight, tf.mul(dFoldedBias, bias))];
  }
}
