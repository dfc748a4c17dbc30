/** Writes and checks a run's state in files, which are the journal and a checkpoint's state.json. Pure. */
import { z } from 'zod';
import type { RunState } from './run-state.js';

const count = z.number().int().min(0);
const totals = z.object({ lossSum: z.number(), correct: count, samples: count });
const best = z.object({ step: count, epoch: count, accuracy: z.number(), loss: z.number() });
/** Names from older versions, which evaluated only the test images. */
const olderBest = z
  .object({ step: count, epoch: count, testAccuracy: z.number(), testLoss: z.number() })
  .transform(({ step, epoch, testAccuracy, testLoss }) => ({
    step,
    epoch,
    accuracy: testAccuracy,
    loss: testLoss,
  }));

/** Files call the amax history `runningMaxima`. The name stays, so that every version reads every run folder. */
export const runStateSchema = z
  .object({
    step: count,
    runningMaxima: z.array(z.number().min(0)).readonly(),
    epochTotals: totals,
    earlyStopping: z.object({ best: z.number().nullable(), badEvaluations: count }),
    best: z.union([best, olderBest]).nullable(),
    /** Older files named a best before its checkpoint was there. */
    candidate: best.nullable().default(null),
    ended: z.string().nullable(),
    elapsedSeconds: z.number().min(0),
  })
  .transform(({ step, runningMaxima, ...rest }): RunState => ({ step, amaxHistory: runningMaxima, ...rest }));

export type StoredRunState = z.input<typeof runStateSchema>;

/** What a file holds of `state`. `runStateSchema` reads it back. */
export function storedRunState({ step, amaxHistory, ...rest }: RunState): StoredRunState {
  return { step, runningMaxima: amaxHistory, ...rest };
}
