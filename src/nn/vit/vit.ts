/** The Vision Transformer without its head: equations 1 to 4 of arXiv 2010.11929. */
import { tf } from '../tfjs.js';
import { pooledFeatures } from './classifier.js';
import { encoderBlock } from './encoder-block.js';
import type { FrozenParts } from '../../run/model/trained-parameters.js';
import type { Pass } from './pass.js';
import { recomputed } from './recomputed.js';
import type { VitWeights } from './vit-weights.js';

/**
 * What the head sees of a micro-batch.
 * @param patches [B N, C P P]
 * @param recompute keep only the input of each encoder block, and run the block again in the backward pass
 * @param frozen parts that are not recorded, so that the backward pass ends before them
 * @returns [B, D], or [B, 2 D] for two tokens
 */
export function vitFeatures(
  pass: Pass,
  weights: VitWeights,
  patches: tf.Tensor2D,
  recompute: boolean,
  frozen: FrozenParts,
): tf.Tensor2D {
  const unrecorded: Pass = { ...pass, tape: undefined };
  const { length: layers } = weights.blocks;
  let z = tf.tidy(() => pass.parts.embed(frozen.embedding ? unrecorded : pass, weights.embedding, patches));
  for (const [layer, block] of weights.blocks.entries()) {
    const input = z;
    const within = layer < frozen.blocks ? unrecorded : pass;
    if (frozen.embedding && layer === frozen.blocks) pass.tape?.watch(input);
    const run = (inner: Pass, x: tf.Tensor2D) => encoderBlock(inner, block, layer, x);
    z = tf.tidy(() => (recompute ? recomputed(within, input, run) : run(within, input)));
    input.dispose();
  }
  if (frozen.embedding && frozen.blocks === layers && !frozen.norm) pass.tape?.watch(z);
  const within = frozen.norm ? unrecorded : pass;
  const y = tf.tidy(() => pooledFeatures(within, weights.classifier, z, weights.embedding.patches));
  z.dispose();
  return y;
}
