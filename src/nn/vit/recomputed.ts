/**
 * Runs a part of the network so that only its input is kept. The rest is computed again in the backward pass.
 */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';
import type { Pass } from './pass.js';

/**
 * A tape that keeps nothing, but looks to the kernels as if it did. Whether a kernel also has to store values
 * for the backward pass (those before GELU, for example) is part of its call, and a GPU's library may choose
 * another algorithm for another call, which may differ in the last bit.
 */
function recordedInVain(
  pass: Pass,
  tape: Tape,
  x: tf.Tensor2D,
  part: (pass: Pass, x: tf.Tensor2D) => tf.Tensor2D,
): tf.Tensor2D {
  const inner = tape.nested();
  inner.watch(x);
  try {
    return part({ ...pass, tape: inner }, x);
  } finally {
    inner.dispose();
  }
}

/**
 * Gives the same output and gradients as `part(pass, x)`, bit for bit, because a part is a pure function of its weights,
 * its input and the pass's dropout key.
 */
export function recomputed(
  pass: Pass,
  x: tf.Tensor2D,
  part: (pass: Pass, x: tf.Tensor2D) => tf.Tensor2D,
): tf.Tensor2D {
  const { tape } = pass;
  if (tape === undefined) return part(pass, x);
  const y = recordedInVain(pass, tape, x, part);
  tape.record({
    output: y,
    inputs: [x],
    saved: [x],
    backward: (dy, [savedX]) => {
      const inner = tape.nested();
      inner.watch(savedX);
      try {
        const again = tf.tidy(() => part({ ...pass, tape: inner }, savedX));
        inner.walk(again, dy);
        again.dispose();
        return [inner.takeGradient(savedX)];
      } finally {
        inner.dispose();
      }
    },
  });
  return y;
}
