/** LayerScale (arXiv 2103.17239): a learned factor for each column. */
import { tf } from '../tfjs.js';
import type { Tape } from '../tape.js';

/** x diag(factors): [T, D] -> [T, D]. @param factors [D]; undefined for a model without LayerScale */
export function layerScale(
  tape: Tape | undefined,
  x: tf.Tensor2D,
  factors: tf.Tensor1D | undefined,
): tf.Tensor2D {
  if (factors === undefined) return x;
  const y: tf.Tensor2D = tf.mul(x, factors);
  tape?.record({
    output: y,
    inputs: [x, factors],
    saved: [x],
    backward: (dy, [savedX]) => [tf.mul(dy, factors), tf.sum(tf.mul(dy, savedX), 0)],
  });
  return y;
}
