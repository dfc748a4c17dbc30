/** How a run's state is checked where it is read back: from a checkpoint, from the journal. Pure. */
import { z } from 'zod';
import type { RunState } from './run-state.js';

const count = z.number().int().min(0);
const totals = z.object({ lossSum: z.number(), correct: count, samples: count });
const best = z.object({ step: count, epoch: count, accuracy: z.number(), loss: z.number() });
/** The names of the time when the test images alone were evaluated. */
const olderBest = z
  .object({ step: count, epoch: count, testAccuracy: z.number(), testLoss: z.number() })
  .transform(({ step, epoch, testAccuracy, testLoss }) => ({
    step,
    epoch,
    accuracy: testAccuracy,
    loss: testLoss,
  }));

export const runStateSchema = z.object({
  step: count,
  runningMaxima: z.array(z.number().min(0)).readonly(),
  epochTotals: totals,
  earlyStopping: z.object({ best: z.number().nullable(), badEvaluations: count }),
  best: z.union([best, olderBest]).nullable(),
  ended: z.string().nullable(),
  elapsedSeconds: z.number().min(0),
}) satisfies z.ZodType<RunState>;
