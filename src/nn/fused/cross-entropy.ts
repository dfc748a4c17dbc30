/** The loss and its gradient in one kernel. */
import { tf } from '../tfjs.js';
import { bufferOf, emptyTensor } from '../backend/tensor-buffers.js';
import { checkLabels } from '../ops/cross-entropy.js';
import type { VitParts } from '../vit/pass.js';
import type { FusedDevice } from './device.js';

/** Losses [B] and predictions [B] of logits [B, K] for labels [B]. @throws INTERNAL unless every label is a class */
export function crossEntropy(device: FusedDevice): VitParts['crossEntropy'] {
  const { kernels } = device;
  return (labels, classes, smoothing) => {
    checkLabels(labels, classes);
    const rows = labels.length;
    const labelTensor = tf.tensor1d(labels, 'int32');
    return (tape, logits) =>
      tf.tidy(() => {
        const losses = device.values<tf.Rank.R1>([rows]);
        const predictions = emptyTensor<tf.Rank.R1>([rows], 'int32');
        const dLogits = tape === undefined ? undefined : device.values<tf.Rank.R2>([rows, classes]);
        kernels.crossEntropy({
          logits: bufferOf(logits),
          labels: bufferOf(labelTensor),
          rows,
          classes,
          smoothing,
          losses: bufferOf(losses),
          dLogits: dLogits && bufferOf(dLogits),
          predictions: bufferOf(predictions),
        });
        if (tape !== undefined && dLogits !== undefined) {
          tape.record({
            output: losses,
            inputs: [logits],
            saved: [dLogits],
            backward: (dLosses, [saved]) => [tf.mul(saved, tf.reshape(dLosses, [rows, 1]))],
          });
        }
        labelTensor.dispose();
        return { losses, predictions };
      });
  };
}
