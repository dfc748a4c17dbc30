/**
 * Turns patches into tokens: projection, class token and position embedding (equation 1 of arXiv 2010.11929).
 */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';
import { affine, affineGradients, type LinearWeights } from './linear.js';

export interface EmbeddingWeights {
  /** E: [D, C P P]; a P x P convolution with stride P is a linear layer on patches. */
  readonly projection: LinearWeights & { readonly bias: tf.Tensor1D };
  /** The tokens before the patches: x_class [1, D], then perhaps others, [R, D] each. */
  readonly prefix: readonly [classToken: tf.Tensor2D, ...others: tf.Tensor2D[]];
  /** E_pos: [S, D], or [N, D] if only patches have a position. */
  readonly position: tf.Tensor2D;
  /** N */
  readonly patches: number;
}

/** Tokens before the patches. */
export function prefixRows({ prefix }: EmbeddingWeights): number {
  return prefix.reduce((rows, { shape }) => rows + shape[0], 0);
}

/** The position of every token, [S, D]: 0 for those that have none. */
export function positionOfAll(weights: EmbeddingWeights): tf.Tensor2D {
  const { position, patches } = weights;
  const [rows, width] = position.shape;
  const without = prefixRows(weights) + patches - rows;
  return without === 0 ? position : tf.concat([tf.zeros<tf.Rank.R2>([without, width]), position], 0);
}

/** The gradients of the prefix tokens and of the position embedding, from that of every token's position. */
export function prefixGradients(weights: EmbeddingWeights, dPosition: tf.Tensor2D): tf.Tensor2D[] {
  const { prefix, position } = weights;
  const [tokens, width] = dPosition.shape;
  const rows = (from: number, count: number): tf.Tensor2D => tf.slice(dPosition, [from, 0], [count, width]);
  let at = 0;
  const ofPrefix = prefix.map(({ shape: [count] }) => rows((at += count) - count, count));
  const placed = position.shape[0];
  return [...ofPrefix, placed === tokens ? dPosition : rows(tokens - placed, placed)];
}

/**
 * z_0 = [x_class; other tokens; x_1 E; ...; x_N E] + E_pos for every image.
 * @param patches [B N, C P P], a constant: it gets no gradient
 * @returns [B S, D]
 */
export function embedTokens(
  tape: Tape | undefined,
  patches: tf.Tensor2D,
  weights: EmbeddingWeights,
): tf.Tensor2D {
  const { projection, prefix, position, patches: ofImage } = weights;
  const width = position.shape[1];
  const before = prefixRows(weights) * width;
  const tokens = prefixRows(weights) + ofImage;
  const images = patches.shape[0] / ofImage;
  return tf.tidy(() => {
    const embedded = tf.reshape(affine(patches, projection), [images, ofImage * width]);
    const first = prefix.length === 1 ? prefix[0] : tf.reshape(tf.concat([...prefix], 0), [1, before]);
    const joined = tf.concat([tf.tile(first, [images, 1]), embedded], 1);
    const placed = tf.add(joined, tf.reshape(positionOfAll(weights), [1, tokens * width]));
    const y = tf.reshape<tf.Rank.R2>(placed, [images * tokens, width]);
    tape?.record({
      output: y,
      inputs: [projection.weight, projection.bias, ...prefix, position],
      saved: [patches],
      backward: (dy, [savedPatches]) => {
        const perImage = tf.reshape(dy, [images, tokens * width]);
        const dPosition = tf.reshape<tf.Rank.R2>(tf.sum(perImage, 0), [tokens, width]);
        const dEmbedded = tf.slice(perImage, [0, before], [images, ofImage * width]);
        const rows = tf.reshape<tf.Rank.R2>(dEmbedded, [images * ofImage, width]);
        return [...affineGradients(rows, savedPatches), ...prefixGradients(weights, dPosition)];
      },
    });
    return y;
  });
}
