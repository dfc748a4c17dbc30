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
  readonly #factor: number;

  /**
   * @param scale [out]: LayerScale's factors; undefined for a model without LayerScale
   * @param factor of the whole branch: drop path's
   */
  constructor(device: FusedDevice, weights: LinearWeights, scale: tf.Tensor1D | undefined, factor = 1) {
    this.#device = device;
    this.#weights = weights;
    this.#scale = scale;
    this.#factor = factor;
  }

  /** In the order of `gradients`. */
  get parameters(): tf.Tensor[] {
    const own = parametersOf(this.#weights);
    return this.#scale === undefined ? own : [...own, this.#scale];
  }

  /** The weights that gemms take, to be called inside a tidy: computed for each use, which is cheaper than to keep them. */
  folded(): DenseWeights {
    const { weight, bias, operand } = this.#weights;
    const factors = this.#factors();
    if (factors === undefined) return this.#weights;
    const folded = tf.mul<tf.Tensor2D>(weight, tf.reshape(factors, [-1, 1]));
    return {
      weight: folded,
      operand: operand && bf16Copy(bufferOf(folded), folded.shape),
      bias: bias && tf.mul<tf.Tensor1D>(bias, factors),
    };
  }

  /** Of the parameters, from the gradient dy [T, out] of the output and the input x [T, in]. */
  gradients(dy: tf.Tensor2D, x: tf.Tensor2D): tf.Tensor[] {
    const { weight, bias } = this.#weights;
    const factors = this.#factors();
    const [dFolded, dFoldedBias] = this.#device.linearGradients(dy, x);
    if (factors === undefined) return bias === undefined ? [dFolded] : [dFolded, dFoldedBias];
    const own = [tf.mul(dFolded, tf.reshape(factors, [-1, 1]))];
    if (bias !== undefined) own.push(tf.mul(dFoldedBias, factors));
    if (this.#scale === undefined) return own;
    const ofWeight = tf.sum(tf.mul(dFolded, weight), 1);
    const dFactors = bias === undefined ? ofWeight : tf.add(ofWeight, tf.mul(dFoldedBias, bias));
    return [...own, tf.mul(dFactors, this.#factor)];
  }

  /** [out], or one for all columns; undefined if there is nothing to multiply with */
  #factors(): tf.Tensor1D | undefined {
    if (this.#scale !== undefined)
      return this.#factor === 1 ? this.#scale : tf.mul<tf.Tensor1D>(this.#scale, this.#factor);
    return this.#factor === 1 ? undefined : tf.tensor1d([this.#factor], 'float32');
  }
}
