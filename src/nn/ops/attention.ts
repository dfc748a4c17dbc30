/** Multi-head scaled dot-product attention on packed queries, keys and values (arXiv 2010.11929, appendix A). */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';
import { batchedGemm } from './batched-gemm.js';

function swapLast(x: tf.Tensor3D): tf.Tensor3D {
  return tf.transpose(x, [0, 2, 1]);
}

/**
 * softmax(Q K^T / sqrt(d)) V for every image and head.
 * @param qkv [B S, 3 D]: a token's row holds q, k, v, each with its heads one after the other (timm's and
 *   torch's packing)
 * @param images B
 * @returns [B S, D]
 */
export function attention(
  tape: Tape | undefined,
  qkv: tf.Tensor2D,
  images: number,
  heads: number,
): tf.Tensor2D {
  const [tokens, packed] = qkv.shape;
  const width = packed / (3 * heads);
  const perHead: [number, number, number] = [heads * images, tokens / images, width];
  const scale = 1 / Math.sqrt(width);

  /** [B S, parts heads d] -> `parts` tensors [heads B, S, d] */
  const split = (rows: tf.Tensor2D, parts: number): tf.Tensor3D[] => {
    const headsFirst = tf.transpose(tf.reshape(rows, [tokens, parts * heads, width]), [1, 0, 2]);
    return tf.split(headsFirst, parts, 0).map((part) => tf.reshape(part, perHead));
  };
  /** The inverse of `split`. */
  const join = (parts: tf.Tensor3D[]): tf.Tensor2D => {
    const headsFirst = tf.reshape(tf.concat(parts, 0), [parts.length * heads, tokens, width]);
    return tf.reshape(tf.transpose(headsFirst, [1, 0, 2]), [tokens, parts.length * heads * width]);
  };

  return tf.tidy(() => {
    const [q, k, v] = split(qkv, 3) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const scaledQ: tf.Tensor3D = tf.mul(q, scale);
    const probabilities: tf.Tensor3D = tf.softmax(batchedGemm(scaledQ, swapLast(k)));
    const y = join([batchedGemm(probabilities, v)]);
    tape?.record({
      output: y,
      inputs: [qkv],
      saved: [scaledQ, k, v, probabilities],
      backward: (dy, [savedQ, savedK, savedV, p]) => {
        const [dOut] = split(dy as tf.Tensor2D, 1) as [tf.Tensor3D];
        const dV = batchedGemm(swapLast(p), dOut);
        const pDp: tf.Tensor3D = tf.mul(p, batchedGemm(dOut, swapLast(savedV)));
        const dScores: tf.Tensor3D = tf.sub(pDp, tf.mul(p, tf.sum(pDp, 2, true)));
        const dQ: tf.Tensor3D = tf.mul(batchedGemm(dScores, savedK), scale);
        const dK = batchedGemm(swapLast(dScores), savedQ);
        return [join([dQ, dK, dV])];
      },
    });
    return y;
  });
}
