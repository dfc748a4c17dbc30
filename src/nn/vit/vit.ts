/** The Vision Transformer: equations 1 to 4 of arXiv 2010.11929. */
import { tf } from '../tfjs.js';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { tanh } from '../ops/tanh.js';
import { encoderBlock } from './encoder-block.js';
import type { Pass } from './pass.js';
import { recomputed } from './recomputed.js';
import type { VitWeights } from './vit-weights.js';

/** Equation 4, y = LN(z_L^0), and the head: [B (N + 1), D] -> [B, K] */
function classify(pass: Pass, weights: VitWeights, z: tf.Tensor2D): tf.Tensor2D {
  const { tape } = pass;
  const y = layerNorm(tape, pass.parts.classToken(tape, z, pass.images), weights.norm);
  const features = weights.preLogits === undefined ? y : tanh(tape, linear(tape, y, weights.preLogits));
  return linear(tape, features, weights.head);
}

/**
 * Logits of a micro-batch.
 * @param patches [B N, C P P]
 * @param recompute keep only the input of each encoder block, and run the block again in the backward pass
 * @returns [B, K]
 */
export function vit(pass: Pass, weights: VitWeights, patches: tf.Tensor2D, recompute: boolean): tf.Tensor2D {
  let z = tf.tidy(() => pass.parts.embed(pass, weights.embedding, patches));
  for (const [layer, block] of weights.blocks.entries()) {
    const input = z;
    const run = (inner: Pass, x: tf.Tensor2D) => encoderBlock(inner, block, layer, x);
    z = tf.tidy(() => (recompute ? recomputed(pass, input, run) : run(pass, input)));
    input.dispose();
  }
  const logits = tf.tidy(() => classify(pass, weights, z));
  z.dispose();
  return logits;
}
