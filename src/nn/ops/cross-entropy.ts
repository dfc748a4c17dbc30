/** Softmax cross entropy with label smoothing: per-sample losses and their gradient. */
import { tf } from '../tfjs.js';
import { coded } from '../../errors/errors.js';
import type { Tape } from '../tape.js';

/** @throws INTERNAL unless every label is a class */
export function checkLabels(labels: Int32Array, classes: number): void {
  for (const [i, label] of labels.entries()) {
    if (label < 0 || label >= classes) {
      throw coded('INTERNAL', { reason: `label ${label} of sample ${i} is not one of ${classes} classes` });
    }
  }
}

/** Rows of target probabilities with smoothing s: 1 - s for the label, plus s / K for every class. */
function targets(labels: Int32Array, classes: number, smoothing: number): tf.Tensor2D {
  checkLabels(labels, classes);
  const rows = new Float32Array(labels.length * classes).fill(smoothing / classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    rows[i * classes + label] = 1 - smoothing + smoothing / classes;
  }
  return tf.tensor2d(rows, [labels.length, classes], 'float32');
}

/**
 * Every sample's loss, not the mean. All workers divide by the size of the whole batch later.
 * @param logits [B, K]
 * @returns [B]
 */
export function crossEntropy(
  tape: Tape | undefined,
  logits: tf.Tensor2D,
  labels: Int32Array,
  smoothing: number,
): tf.Tensor1D {
  return tf.tidy(() => {
    const target = targets(labels, logits.shape[1], smoothing);
    const shifted = tf.sub(logits, tf.max(logits, 1, true));
    const logSumExp = tf.log(tf.sum(tf.exp(shifted), 1));
    // Target rows sum to 1, so -sum(target log p) = logsumexp - sum(target logits).
    const losses: tf.Tensor1D = tf.sub(logSumExp, tf.sum(tf.mul(shifted, target), 1));
    tape?.record({
      output: losses,
      inputs: [logits],
      saved: [logits, target],
      backward: (dy, [savedLogits, savedTarget]) => [
        tf.mul(tf.sub(tf.softmax(savedLogits), savedTarget), tf.reshape(dy, [labels.length, 1])),
      ],
    });
    return losses;
  });
}
