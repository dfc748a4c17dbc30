/**
 * Equation 1 of arXiv 2010.11929: turns patches into tokens, with dropout after the position embedding (as in
 * vit_jax).
 */
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { dropout } from '../ops/dropout.js';
import { embedTokens, type EmbeddingWeights } from '../ops/embed-tokens.js';
import { DROPOUT_SITE } from './dropout-site.js';
import type { Pass } from './pass.js';

/** [B N, C P P] -> [B S, D] */
export function patchEmbedding(pass: Pass, weights: EmbeddingWeights, patches: Tensor2D): Tensor2D {
  return dropout(pass.tape, embedTokens(pass.tape, patches, weights), pass.dropout, DROPOUT_SITE.embedding);
}
