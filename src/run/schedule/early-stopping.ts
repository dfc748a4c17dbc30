/**
 * Decides when to stop because a metric no longer improves: the rule of the tutorial (`--preset tutorial`),
 * as a pure function.
 */
import { counted, figure } from '../../errors/wording.js';

export interface EarlyStoppingOptions {
  readonly mode: 'min' | 'max';
  /** Smallest change that counts as an improvement: absolute, or in per cent of the best value. */
  readonly minDelta: number;
  /** `minDelta` is a percentage of the best value. */
  readonly percentage: boolean;
  /** Evaluations in a row without improvement after which to stop; 0 never stops, and still tracks the best. */
  readonly patience: number;
}

/** Plain JSON, because it is part of a checkpoint. */
export interface EarlyStoppingState {
  readonly best: number | null;
  /** Evaluations since the best one. */
  readonly badEvaluations: number;
}

export interface EarlyStoppingVerdict {
  readonly state: EarlyStoppingState;
  readonly stop: boolean;
  /** One clause for the log. */
  readonly reason: string;
  /** The value is the best so far. */
  readonly improved: boolean;
}

export const INITIAL_EARLY_STOPPING: EarlyStoppingState = { best: null, badEvaluations: 0 };

function isBetter(value: number, best: number, options: EarlyStoppingOptions): boolean {
  const margin = options.percentage ? (Math.abs(best) * options.minDelta) / 100 : options.minDelta;
  return options.mode === 'min' ? value < best - margin : value > best + margin;
}

/**
 * The state after another evaluation. The first finite value is the best so far. A value that is not finite
 * stops the run (unless patience is 0) and leaves the state as it is.
 */
export function updateEarlyStopping(
  state: EarlyStoppingState,
  value: number,
  options: EarlyStoppingOptions,
): EarlyStoppingVerdict {
  const { best } = state;
  const { patience } = options;
  if (!Number.isFinite(value)) {
    return { state, stop: patience > 0, reason: `the value is ${value}`, improved: false };
  }
  if (best === null || isBetter(value, best, options)) {
    const reason =
      best === null ? `${figure(value)} is the first value` : `${figure(value)} improves on ${figure(best)}`;
    return { state: { best: value, badEvaluations: 0 }, stop: false, reason, improved: true };
  }
  const badEvaluations = state.badEvaluations + 1;
  return {
    state: { best, badEvaluations },
    stop: patience > 0 && badEvaluations >= patience,
    reason: `no improvement on ${figure(best)} in ${counted(badEvaluations, 'evaluation')}, the last gave ${figure(value)}`,
    improved: false,
  };
}
