/** Layer normalisation over the last axis (arXiv 1607.06450) and its gradients. */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';

export interface LayerNormWeights {
  /** [D] */
  readonly scale: tf.Tensor1D;
  /** [D] */
  readonly shift: tf.Tensor1D;
  /** Added to the variance. */
  readonly epsilon: number;
}

/** [T, D] -> [T, D] */
export function layerNorm(
  tape: Tape | undefined,
  x: tf.Tensor2D,
  { scale, shift, epsilon }: LayerNormWeights,
): tf.Tensor2D {
  return tf.tidy(() => {
    const centred = tf.sub(x, tf.mean(x, 1, true));
    const variance = tf.mean(tf.square(centred), 1, true);
    const inverseDeviation = tf.rsqrt(tf.add(variance, epsilon));
    const normalised = tf.mul(centred, inverseDeviation);
    const y: tf.Tensor2D = tf.add(tf.mul(normalised, scale), shift);
    tape?.record({
      output: y,
      inputs: [x, scale, shift],
      saved: [normalised, inverseDeviation],
      backward: (dy, [xHat, rstd]) => {
        const dyXHat = tf.mul(dy, xHat);
        const dXHat = tf.mul(dy, scale);
        const projection = tf.mul(xHat, tf.mean(tf.mul(dXHat, xHat), 1, true));
        const dx = tf.mul(rstd, tf.sub(tf.sub(dXHat, tf.mean(dXHat, 1, true)), projection));
        return [dx, tf.sum(dyXHat, 0), tf.sum(dy, 0)];
      },
    });
    return y;
  });
}
