/** The hyperbolic tangent, elementwise, which is between pre-logits and head. */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';

/** [B, D] -> [B, D] */
export function tanh(tape: Tape | undefined, x: tf.Tensor2D): tf.Tensor2D {
  const y = tf.tanh(x);
  tape?.record({
    output: y,
    inputs: [x],
    saved: [y],
    backward: (dy, [savedY]) => [tf.mul(dy, tf.sub(1, tf.square(savedY)))],
  });
  return y;
}
