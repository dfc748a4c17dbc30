/**
 * Multi-head self-attention, MSA of equation 2 of arXiv 2010.11929: packed q, k, v, attention, output
 * projection, dropout, and perhaps LayerScale.
 */
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { attention } from '../ops/attention.js';
import { dropout } from '../ops/dropout.js';
import { layerScale } from '../ops/layer-scale.js';
import { linear } from '../ops/linear.js';
import { DROPOUT_SITE } from './dropout-site.js';
import type { Pass } from './pass.js';
import type { SelfAttentionWeights } from './vit-weights.js';

/** [T, D] -> [T, D] */
export function selfAttention(
  pass: Pass,
  weights: SelfAttentionWeights,
  layer: number,
  x: Tensor2D,
): Tensor2D {
  const { tape, images } = pass;
  const qkv = linear(tape, x, weights.qkv);
  const mixed = attention(tape, qkv, images, weights.heads);
  const out = linear(tape, mixed, weights.out);
  return layerScale(
    tape,
    dropout(tape, out, pass.dropout, DROPOUT_SITE.attentionOutput(layer)),
    weights.scale,
  );
}
