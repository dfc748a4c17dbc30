/** Dropout whose mask is a pure function of seed, step, micro-batch and site in the network. */
import { tf } from '../tfjs.js';
import { dropoutMask, type DropoutKey } from '../../kernels/dropout-mask.js';
import type { Tape } from '../tape.js';

/**
 * Zeroes each element with probability `key.rate` and scales the others by 1 / (1 - rate).
 * @param key undefined outside training
 * @param site the number of this dropout in the network (`dropout-site.ts`); no two have the same
 */
export function dropout(
  tape: Tape | undefined,
  x: tf.Tensor2D,
  key: DropoutKey | undefined,
  site: number,
): tf.Tensor2D {
  if (key === undefined || key.rate === 0) return x;
  return tf.tidy(() => {
    const mask = tf.tensor2d(dropoutMask(key, site, x.size), x.shape, 'float32');
    const y: tf.Tensor2D = tf.mul(x, mask);
    tape?.record({
      output: y,
      inputs: [x],
      saved: [mask],
      backward: (dy, [savedMask]) => [tf.mul(dy, savedMask)],
    });
    return y;
  });
}
