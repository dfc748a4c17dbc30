/** A worker's part of an evaluation: losses and predictions of some micro-batches of a split. */
import { coded } from '../errors/errors.js';
import { faultPoint } from '../host/fault-injection.js';
import { lossUnits } from '../numbers/exact/loss-units.js';
import { Phase, type Body, type MicroBatchAssignment } from '../wire/codec.js';
import type { MicroBatches } from './batches/micro-batches.js';
import type { BatchRequest } from './data/micro-batch.js';
import type { StatusBoard } from './link/status-board.js';
import type { Training } from './training/training.js';
import type { TrainingState } from './training/training-state.js';

export interface EvaluationServices {
  readonly status: StatusBoard;
  readonly batches: MicroBatches;
  readonly state: TrainingState;
  readonly training: Training;
}

function request(split: string, m: MicroBatchAssignment): BatchRequest {
  return { split: split === 'val' ? 'val' : 'test', epoch: 0, samples: m.samples, augment: false };
}

/**
 * @param interrupted called between micro-batches; true leaves the rest undone
 * @returns null when interrupted
 * @throws LOSS_NOT_FINITE
 */
export async function evaluatePart(
  { status, batches, state, training }: EvaluationServices,
  plan: Body<'evaluationPlan'>,
  interrupted: () => boolean,
): Promise<Body<'evaluationDone'> | null> {
  const { step } = status.read();
  batches.prefetch(plan.microBatches.map((m) => request(plan.split, m)));
  const averaged = plan.useEma && state.moments.ema !== undefined;
  try {
    if (averaged) training.show('ema');
    let lossSum = 0;
    let correct = 0;
    const predictions: number[] = [];
    for (const microBatch of plan.microBatches) {
      if (interrupted()) return null;
      status.enter(Phase.PHASE_EVALUATE, step);
      faultPoint('evaluation', step);
      const batch = await batches.take(request(plan.split, microBatch));
      const result = await batch.evaluate();
      for (const loss of result.losses) lossSum += lossUnits(loss);
      if (!Number.isSafeInteger(lossSum)) {
        throw coded('LOSS_NOT_FINITE', { value: lossSum, step, microBatch: microBatch.index });
      }
      correct += result.correct;
      predictions.push(...result.predictions);
    }
    return { evaluation: plan.evaluation, lossSum, correct, predictions };
  } finally {
    if (averaged) training.show('weights');
    status.enter(Phase.PHASE_IDLE, step);
  }
}
