/** Runs a part of the network so that only its input is kept: the rest is computed again on the way back. */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';
import type { Pass } from './pass.js';

/**
 * As if a tape kept it all: what is kept, values before GELU for one, is part of what a kernel is asked for, and another
 * question may have another answer in the last bit (a GPU's library chooses its algorithm by it).
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
 * The same output and gradients as `part(pass, x)`, bit for bit, since a part is a pure function of its weights,
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
