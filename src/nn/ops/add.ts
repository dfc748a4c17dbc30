/** The sum of two tensors of one shape: a residual connection. */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';
import { sameBuffer } from '../tensor-handle.js';

/** a + b, [T, D] each. */
export function add(tape: Tape | undefined, a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D {
  const sum: tf.Tensor2D = tf.add(a, b);
  tape?.record({
    output: sum,
    inputs: [a, b],
    saved: [],
    backward: (dy) => [sameBuffer(dy), sameBuffer(dy)],
  });
  return sum;
}
