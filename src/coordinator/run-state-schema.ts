/** How a run's state is checked where it is read back: from a checkpoint, from the journal. Pure. */
import { z } from 'zod';
import type { RunState } from './run-state.js';

const count = z.number().int().min(0);
const totals = z.object({ lossSum: z.number(), correct: count, samples: count });
const best = z.object({ step: count, epoch: count, testAccuracy: z.number(), testLoss: z.number() });

export const runStateSchema = z.object({
  step: count,
  runningMaxima: z.array(z.number().min(0)).readonly(),
  epochTotals: totals,
  earlyStopping: z.object({ best: z.number().nullable(), badEvaluations: count }),
  best: best.nullable(),
  ended: z.string().nullable(),
  elapsedSeconds: z.number().min(0),
}) satisfies z.ZodType<RunState>;
