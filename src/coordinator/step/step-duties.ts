/**
 * Decides what has to be done between two steps. It follows from the state alone, so a restarted coordinator
 * does the same. Pure.
 */
import type { RunConfig } from '../../run/config/schema.js';
import type { RunState } from '../../run/journal/run-state.js';
import { epochStep } from './sampling.js';

export interface Duties {
  /** The epoch that is to be concluded (its figures noted, the best and early stopping decided), or null. */
  readonly epoch: number | null;
  /** Whether the epoch is over. If not, the run ends within it. */
  readonly whole: boolean;
  readonly evaluate: boolean;
  readonly checkpoint: boolean;
  readonly audit: boolean;
}

const NOTHING: Duties = { epoch: null, whole: false, evaluate: false, checkpoint: false, audit: false };

/** @param saved newest step with a checkpoint, -1 for none */
export function duties(
  { step, epochTotals }: Pick<RunState, 'step' | 'epochTotals'>,
  saved: number,
  {
    config,
    perEpoch,
    ends,
  }: {
    readonly config: Pick<RunConfig, 'evaluateEvery' | 'checkpointEverySteps' | 'auditEverySteps'>;
    readonly perEpoch: number;
    /** The step at which the run is over, and those at which it was over before it was prolonged. */
    readonly ends: ReadonlySet<number>;
  },
): Duties {
  if (step === 0) return NOTHING;
  const { epoch, lastOfEpoch } = epochStep(step - 1, perEpoch);
  if (lastOfEpoch || ends.has(step)) {
    // Concluding an epoch empties its totals, so if they are empty only the checkpoint can be missing. If a
    // run was stopped during an evaluation, its checkpoint is of an epoch that is not concluded yet.
    const open = epochTotals.samples > 0;
    if (saved >= step && !open) return NOTHING;
    const checkpoint = saved < step || lastOfEpoch;
    const evaluate = ends.has(step) || (epoch + 1) % config.evaluateEvery === 0;
    return { epoch: open ? epoch : null, whole: lastOfEpoch, evaluate, checkpoint, audit: false };
  }
  if (saved >= step) return NOTHING;
  const every = (interval: number): boolean => interval > 0 && step % interval === 0;
  if (every(config.checkpointEverySteps)) return { ...NOTHING, checkpoint: true };
  return { ...NOTHING, audit: every(config.auditEverySteps) };
}
