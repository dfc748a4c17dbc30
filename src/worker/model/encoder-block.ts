/** One encoder block: equations 2 and 3. */
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { add } from '../engine/ops/add.js';
import { layerNorm, type LayerNormWeights } from '../engine/ops/layer-norm.js';
import { mlp, type MlpWeights } from './mlp.js';
import type { Pass } from './pass.js';
import { selfAttention, type SelfAttentionWeights } from './self-attention.js';

export interface EncoderBlockWeights {
  readonly norm1: LayerNormWeights;
  readonly attention: SelfAttentionWeights;
  readonly norm2: LayerNormWeights;
  readonly mlp: MlpWeights;
}

/**
 * z'_l = MSA(LN(z_(l-1))) + z_(l-1), then z_l = MLP(LN(z'_l)) + z'_l.
 * @param z [T, D]
 */
export function encoderBlock(pass: Pass, weights: EncoderBlockWeights, layer: number, z: Tensor2D): Tensor2D {
  const { tape } = pass;
  const attended = selfAttention(pass, weights.attention, layer, layerNorm(tape, z, weights.norm1));
  const middle = add(tape, attended, z);
  const transformed = mlp(pass, weights.mlp, layer, layerNorm(tape, middle, weights.norm2));
  return add(tape, transformed, middle);
}
