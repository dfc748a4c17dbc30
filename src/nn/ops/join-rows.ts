/** Puts the rows of an image beside each other. */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';

/** [B Q, D] -> [B, Q D] */
export function joinRows(tape: Tape | undefined, x: tf.Tensor2D, images: number): tf.Tensor2D {
  const y = tf.reshape<tf.Rank.R2>(x, [images, x.size / images]);
  tape?.record({
    output: y,
    inputs: [x],
    saved: [],
    backward: (dy) => [tf.reshape(dy, x.shape)],
  });
  return y;
}
