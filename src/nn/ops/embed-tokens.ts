/**
 * Turns patches into tokens: projection, class token and position embedding (equation 1 of arXiv 2010.11929).
 */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';
import { affine, affineGradients, type LinearWeights } from './linear.js';

export interface EmbeddingWeights {
  /** E: [D, C P P]; a P x P convolution with stride P is a linear layer on patches. */
  readonly projection: LinearWeights;
  /** x_class: [1, D] */
  readonly classToken: tf.Tensor2D;
  /** E_pos: [N + 1, D] */
  readonly position: tf.Tensor2D;
}

/**
 * z_0 = [x_class; x_1 E; ...; x_N E] + E_pos for every image.
 * @param patches [B N, C P P], a constant: it gets no gradient
 * @returns [B (N + 1), D]
 */
export function embedTokens(
  tape: Tape | undefined,
  patches: tf.Tensor2D,
  { projection, classToken, position }: EmbeddingWeights,
): tf.Tensor2D {
  const [tokens, width] = position.shape;
  const images = patches.shape[0] / (tokens - 1);
  return tf.tidy(() => {
    const embedded = tf.reshape(affine(patches, projection), [images, (tokens - 1) * width]);
    const joined = tf.concat([tf.tile(classToken, [images, 1]), embedded], 1);
    const placed = tf.add(joined, tf.reshape(position, [1, tokens * width]));
    const y = tf.reshape<tf.Rank.R2>(placed, [images * tokens, width]);
    tape?.record({
      output: y,
      inputs: [projection.weight, projection.bias, classToken, position],
      saved: [patches],
      backward: (dy, [savedPatches]) => {
        const perImage = tf.reshape(dy, [images, tokens * width]);
        const dPosition = tf.reshape(tf.sum(perImage, 0), [tokens, width]);
        const dClassToken = tf.slice(dPosition, [0, 0], [1, width]);
        const dEmbedded = tf.slice(perImage, [0, width], [images, (tokens - 1) * width]);
        const rows = tf.reshape<tf.Rank.R2>(dEmbedded, [images * (tokens - 1), width]);
        return [...affineGradients(rows, savedPatches), dClassToken, dPosition];
      },
    });
    return y;
  });
}
