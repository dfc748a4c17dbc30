/** From the tokens of the last block to logits: equation 4 of arXiv 2010.11929, and what others do in its place. */
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { joinRows } from '../ops/join-rows.js';
import { layerNorm } from '../ops/layer-norm.js';
import { linear } from '../ops/linear.js';
import { tokenSums, type TokenSums } from '../ops/pool-tokens.js';
import { tanh } from '../ops/tanh.js';
import { twoHeads } from '../ops/two-heads.js';
import type { Tape } from '../tape.js';
import type { Pass } from './pass.js';
import type { ClassifierWeights } from './vit-weights.js';

/** What is pooled from S tokens of which the last N are patches; null for the class token alone. */
function sumsOf(
  { pooling, secondHead }: ClassifierWeights,
  tokens: number,
  patches: number,
): TokenSums | null {
  const only = (wanted: number) => (token: number) => (token === wanted ? 1 : 0);
  const average = (token: number) => (token < tokens - patches ? 0 : 1 / patches);
  if (pooling === 'average') return tokenSums(tokens, [average]);
  if (pooling === 'class-token-and-average') return tokenSums(tokens, [only(0), average]);
  return secondHead === undefined ? null : tokenSums(tokens, [only(0), only(1)]);
}

/** Everything that the head sees: [B S, D] -> [B, D], or [B, 2 D] for two tokens. @param patches N: the last tokens of an image */
export function pooledFeatures(
  pass: Pass,
  weights: ClassifierWeights,
  z: Tensor2D,
  patches: number,
): Tensor2D {
  const { tape, parts, images } = pass;
  const sums = sumsOf(weights, z.shape[0] / images, patches);
  const norm = (x: Tensor2D): Tensor2D => layerNorm(tape, x, weights.norm);
  // The norm of a single token is the same before and after it is taken out, and cheaper after.
  if (sums === null) return norm(parts.classToken(tape, z, images));
  const pooled =
    weights.normFirst && weights.pooling !== 'class-token'
      ? parts.poolTokens(tape, parts.norm(tape, z, weights.norm), images, sums)
      : norm(parts.poolTokens(tape, z, images, sums));
  return sums.count === 1 ? pooled : joinRows(tape, pooled, images);
}

/** [B, D] or [B, 2 D] -> [B, K] */
export function logitsOf(tape: Tape | undefined, weights: ClassifierWeights, features: Tensor2D): Tensor2D {
  const { head, secondHead, preLogits } = weights;
  if (secondHead !== undefined) return twoHeads(tape, features, head, secondHead);
  return linear(
    tape,
    preLogits === undefined ? features : tanh(tape, linear(tape, features, preLogits)),
    head,
  );
}
