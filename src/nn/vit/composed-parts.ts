/** The network's parts in plain tfjs ops, which run on every backend. */
import { patchLength } from '../../run/model/model-spec.js';
import { patchesOf } from '../model-input.js';
import { add } from '../ops/add.js';
import { classToken } from '../ops/class-token.js';
import { crossEntropy } from '../ops/cross-entropy.js';
import { layerNorm } from '../ops/layer-norm.js';
import { poolTokens } from '../ops/pool-tokens.js';
import { copyingMaker } from '../tensor-maker.js';
import { tf } from '../tfjs.js';
import { mlp } from './mlp.js';
import { patchEmbedding } from './patch-embedding.js';
import { selfAttention } from './self-attention.js';
import type { VitParts } from './pass.js';

export const composedParts: VitParts = {
  input(input, spec, scale) {
    const patches = patchesOf(input, spec, scale);
    const width = patchLength(spec);
    return copyingMaker.make(patches, [patches.length / width, width]) as tf.Tensor2D;
  },
  embed: patchEmbedding,
  attentionBranch(pass, { norm1, attention }, layer, z) {
    return add(pass.tape, selfAttention(pass, attention, layer, layerNorm(pass.tape, z, norm1)), z);
  },
  mlpBranch(pass, weights, layer, z) {
    return add(pass.tape, mlp(pass, weights.mlp, layer, layerNorm(pass.tape, z, weights.norm2)), z);
  },
  classToken,
  poolTokens,
  norm: layerNorm,
  crossEntropy: (labels, _classes, smoothing) => (tape, logits) => {
    const losses = crossEntropy(tape, logits, labels, smoothing);
    return { losses, predictions: tf.argMax(logits, 1) };
  },
};
