/** Copies losses and predictions of a micro-batch from the backend to the host. */
import { tf } from '../tfjs.js';
import type { Judgement } from '../vit/pass.js';

export interface EvaluationResult {
  /** [m]; with label smoothing only in training */
  readonly losses: Float32Array;
  /** [m]; the class with the largest logit, the first one if several are equal */
  readonly predictions: Int32Array;
  readonly correct: number;
}

/** Disposes of the judgement's tensors. @param labels [m] */
export async function readJudgement(
  { losses, predictions }: Judgement,
  labels: Int32Array,
): Promise<EvaluationResult> {
  try {
    const [values, classes] = await Promise.all([losses.data<'float32'>(), predictions.data<'int32'>()]);
    let correct = 0;
    for (const [i, label] of labels.entries()) if (classes[i] === label) correct++;
    return { losses: values, predictions: classes, correct };
  } finally {
    tf.dispose([losses, predictions]);
  }
}
