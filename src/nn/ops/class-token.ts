/** Takes every image's class token. */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';

/** [B S, D] -> [B, D]: token 0 of each of the B images. */
export function classToken(tape: Tape | undefined, x: tf.Tensor2D, images: number): tf.Tensor2D {
  const [rows, width] = x.shape;
  const tokens = rows / images;
  return tf.tidy(() => {
    // Row b of the [B, S D] view starts with the class token of image b.
    const y = tf.slice(tf.reshape(x, [images, tokens * width]), [0, 0], [images, width]) as tf.Tensor2D;
    tape?.record({
      output: y,
      inputs: [x],
      saved: [],
      backward: (dy) => {
        const others: [number, number][] = [
          [0, 0],
          [0, (tokens - 1) * width],
        ];
        return [tf.reshape(tf.pad(dy, others), [rows, width])];
      },
    });
    return y;
  });
}
