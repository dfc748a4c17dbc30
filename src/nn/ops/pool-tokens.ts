/** Weighted sums over the tokens of every image: averages over patches, and single tokens beside them. */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';
import { batchedGemm } from './batched-gemm.js';

/** Q sums over the S tokens of an image: [Q, S], row by row. */
export interface TokenSums {
  readonly count: number;
  readonly factors: Float32Array;
}

/** @param sums for each sum, its factor of token s */
export function tokenSums(tokens: number, sums: readonly ((token: number) => number)[]): TokenSums {
  const factors = sums.flatMap((factor) => Array.from({ length: tokens }, (_, token) => factor(token)));
  return { count: sums.length, factors: Float32Array.from(factors) };
}

/** [B S, D] -> [B Q, D] */
export function poolTokens(
  tape: Tape | undefined,
  x: tf.Tensor2D,
  images: number,
  { count, factors }: TokenSums,
): tf.Tensor2D {
  const [rows, width] = x.shape;
  const tokens = rows / images;
  const ofEachImage = (transposed: boolean): tf.Tensor3D => {
    const matrix = tf.tensor2d(factors, [count, tokens], 'float32');
    const turned = transposed ? tf.transpose(matrix) : matrix;
    return tf.tile(tf.reshape<tf.Rank.R3>(turned, [1, ...turned.shape]), [images, 1, 1]);
  };
  return tf.tidy(() => {
    const product = batchedGemm(ofEachImage(false), tf.reshape(x, [images, tokens, width]));
    const y = tf.reshape<tf.Rank.R2>(product, [images * count, width]);
    tape?.record({
      output: y,
      inputs: [x],
      saved: [],
      backward: (dy) => {
        const spread = batchedGemm(ofEachImage(true), tf.reshape(dy, [images, count, width]));
        return [tf.reshape(spread, [rows, width])];
      },
    });
    return y;
  });
}
