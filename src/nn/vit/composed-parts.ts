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
import { scaleImages } from '../ops/scale-images.js';
import { BRANCH, droppedSamples } from './drop-path.js';
import type { Pass, VitParts } from './pass.js';

/** A branch's output without the samples that lose the branch. */
function dropped(pass: Pass, layer: number, branch: 0 | 1, x: tf.Tensor2D): tf.Tensor2D {
  const samples = droppedSamples(pass.dropPath, layer, branch, pass.images);
  if (samples === undefined) return x;
  const factors = new Array<number>(pass.images).fill(samples.kept);
  for (const image of samples.dropped) factors[image] = 0;
  return scaleImages(pass.tape, x, factors);
}

export const composedParts: VitParts = {
  input(input, spec, scale) {
    const patches = patchesOf(input, spec, scale);
    const width = patchLength(spec);
    return copyingMaker.make(patches, [patches.length / width, width]) as tf.Tensor2D;
  },
  embed: patchEmbedding,
  attentionBranch(pass, { norm1, attention }, layer, z) {
    const branch = selfAttention(pass, attention, layer, layerNorm(pass.tape, z, norm1));
    return add(pass.tape, dropped(pass, layer, BRANCH.attention, branch), z);
  },
  mlpBranch(pass, weights, layer, z) {
    const branch = mlp(pass, weights.mlp, layer, layerNorm(pass.tape, z, weights.norm2));
    return add(pass.tape, dropped(pass, layer, BRANCH.mlp, branch), z);
  },
  classToken,
  poolTokens,
  norm: layerNorm,
  crossEntropy: (labels, _classes, smoothing) => (tape, logits) => {
    const losses = crossEntropy(tape, logits, labels, smoothing);
    return { losses, predictions: tf.argMax(logits, 1) };
  },
};
