/** One encoder block: equations 2 and 3 of arXiv 2010.11929. */
import type { Tensor2D } from '@tensorflow/tfjs-core';
import type { Pass } from './pass.js';
import type { EncoderBlockWeights } from './vit-weights.js';

/**
 * z'_l = MSA(LN(z_(l-1))) + z_(l-1), then z_l = MLP(LN(z'_l)) + z'_l.
 * @param z [T, D]
 */
export function encoderBlock(pass: Pass, weights: EncoderBlockWeights, layer: number, z: Tensor2D): Tensor2D {
  const middle = pass.parts.attentionBranch(pass, weights, layer, z);
  return pass.parts.mlpBranch(pass, weights, layer, middle);
}
