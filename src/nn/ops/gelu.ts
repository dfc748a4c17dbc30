/** The Gaussian error linear unit (arXiv 1606.08415), exact or in its tanh approximation. */
import { tf } from '../tfjs.js';
import type { GeluForm } from '../../run/model/model-spec.js';
import type { Tape } from '../tape.js';

const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = LINEAR * 0.044715;
const SQRT_HALF = Math.SQRT1_2;
const INVERSE_SQRT_TWO_PI = 1 / Math.sqrt(2 * Math.PI);

interface ValueAndSlope {
  readonly value: tf.Tensor;
  /** Computes the slope; it is called only if the slope is needed. */
  readonly slope: () => tf.Tensor;
}

/**
 * x/2 (1 + tanh(u)) = x sigmoid(2u) with 2u = LINEAR x + CUBIC x^3. On wasm, sigmoid is XNNPACK's and 25
 * times faster than tanh.
 */
function tanhForm(x: tf.Tensor): ValueAndSlope {
  const squared = tf.square(x);
  const gate = tf.sigmoid(tf.mul(x, tf.add(tf.mul(squared, CUBIC), LINEAR)));
  const value = tf.mul(x, gate);
  return {
    value,
    slope: () => {
      const innerSlope = tf.add(tf.mul(squared, 3 * CUBIC), LINEAR);
      return tf.add(gate, tf.mul(tf.mul(value, tf.sub(1, gate)), innerSlope));
    },
  };
}

/** x Phi(x), Phi the normal distribution function. */
function erfForm(x: tf.Tensor): ValueAndSlope {
  const phi = tf.mul(tf.add(tf.erf(tf.mul(x, SQRT_HALF)), 1), 0.5);
  return {
    value: tf.mul(x, phi),
    slope: () => {
      const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), INVERSE_SQRT_TWO_PI);
      return tf.add(phi, tf.mul(x, density));
    },
  };
}

/**
 * Any shape, elementwise. The slope is computed in the forward pass, so that one tensor is saved in place of
 * two.
 */
export function gelu(tape: Tape | undefined, x: tf.Tensor2D, form: GeluForm): tf.Tensor2D {
  return tf.tidy(() => {
    const { value, slope } = form === 'tanh' ? tanhForm(x) : erfForm(x);
    tape?.record({
      output: value,
      inputs: [x],
      saved: [slope()],
      backward: (dy, [savedSlope]) => [tf.mul(dy, savedSlope)],
    });
    return value as tf.Tensor2D;
  });
}
