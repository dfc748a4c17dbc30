/** The Vision Transformer: equations 1 to 4 of arXiv 2010.11929. */
import { tf } from '../tfjs.js';
import { classify } from './classifier.js';
import { encoderBlock } from './encoder-block.js';
import type { Pass } from './pass.js';
import { recomputed } from './recomputed.js';
import type { VitWeights } from './vit-weights.js';

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
  const logits = tf.tidy(() => classify(pass, weights.classifier, z, weights.embedding.patches));
  z.dispose();
  return logits;
}
