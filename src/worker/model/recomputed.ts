/** Runs a part of the network so that only its input is kept: the rest is computed again on the way back. */
import * as tf from '@tensorflow/tfjs-core';
import type { Pass } from './pass.js';

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
  const y = part({ ...pass, tape: undefined }, x);
  tape?.record({
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
