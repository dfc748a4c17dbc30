/** Multiplies all tokens of an image by a factor of the image: drop path. */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';

/** [B S, D] -> [B S, D]. @param factors [B] */
export function scaleImages(tape: Tape | undefined, x: tf.Tensor2D, factors: readonly number[]): tf.Tensor2D {
  const images = factors.length;
  const scaled = (of: tf.Tensor): tf.Tensor2D => {
    const rows = tf.reshape(of, [images, x.size / images]);
    return tf.reshape(tf.mul(rows, tf.tensor2d([...factors], [images, 1], 'float32')), x.shape);
  };
  return tf.tidy(() => {
    const y = scaled(x);
    tape?.record({ output: y, inputs: [x], saved: [], backward: (dy) => [scaled(dy)] });
    return y;
  });
}
