/** The heads of class token and distillation token (arXiv 2012.12877), whose mean is the model's answer. */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';
import { affine, affineGradients, parametersOf, type LinearWeights } from './linear.js';

/** (head(x_0) + other(x_1)) / 2 for every image. @param x [B, 2 D]: both tokens beside each other. @returns [B, K] */
export function twoHeads(
  tape: Tape | undefined,
  x: tf.Tensor2D,
  head: LinearWeights,
  other: LinearWeights,
): tf.Tensor2D {
  const [images, both] = x.shape;
  const half = (of: tf.Tensor2D, index: 0 | 1): tf.Tensor2D =>
    tf.slice(of, [0, (index * both) / 2], [images, both / 2]);
  return tf.tidy(() => {
    const y: tf.Tensor2D = tf.mul(tf.add(affine(half(x, 0), head), affine(half(x, 1), other)), 0.5);
    tape?.record({
      output: y,
      inputs: [x, ...parametersOf(head), ...parametersOf(other)],
      saved: [x],
      backward: (dy, [savedX]) => {
        const dHalf: tf.Tensor2D = tf.mul(dy, 0.5);
        const dx = tf.concat([tf.matMul(dHalf, head.weight), tf.matMul(dHalf, other.weight)], 1);
        return [dx, ...affineGradients(dHalf, half(savedX, 0)), ...affineGradients(dHalf, half(savedX, 1))];
      },
    });
    return y;
  });
}
