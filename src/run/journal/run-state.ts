/**
 * The state of a run besides the weights, which changes with every step and is part of a checkpoint. Pure.
 */
import { updateAmaxHistory } from '../../numbers/exact/exponents.js';
import {
  INITIAL_EARLY_STOPPING,
  updateEarlyStopping,
  type EarlyStoppingOptions,
  type EarlyStoppingState,
} from '../schedule/early-stopping.js';

/** Decay of the amax history a step: it halves in about 70 steps. */
const AMAX_DECAY = 0.99;

/** Exact sums over samples. */
export interface Totals {
  readonly lossSum: number;
  readonly correct: number;
  readonly samples: number;
}

/** Exact totals over all micro-batches of a committed step. */
export interface StepTotals extends Totals {
  /** Largest |g| over the micro-batches, one a tensor. */
  readonly maxima: Float32Array;
  readonly digest: string;
}

export interface BestResult {
  readonly step: number;
  readonly epoch: number;
  readonly accuracy: number;
  readonly loss: number;
}

export interface RunState {
  /** Committed steps. */
  readonly step: number;
  /** Decaying maximum of |g| over the micro-batches so far, one a tensor. */
  readonly amaxHistory: readonly number[];
  /** Training totals of the epoch under way. */
  readonly epochTotals: Totals;
  readonly earlyStopping: EarlyStoppingState;
  /**
   * The evaluation with the highest accuracy of those whose state is in a checkpoint; where two are equal, the one with
   * the lower loss.
   */
  readonly best: BestResult | null;
  /** A better evaluation of this very state, which has no checkpoint yet. */
  readonly candidate: BestResult | null;
  /** Why the run ended before its last step, so that resuming does not continue it; or null. */
  readonly ended: string | null;
  /** Seconds of training before this state, resumptions added up. */
  readonly elapsedSeconds: number;
}

export const NO_TOTALS: Totals = { lossSum: 0, correct: 0, samples: 0 };

export function initialRunState(tensors: number): RunState {
  return {
    step: 0,
    amaxHistory: new Array<number>(tensors).fill(0),
    epochTotals: NO_TOTALS,
    earlyStopping: INITIAL_EARLY_STOPPING,
    best: null,
    candidate: null,
    ended: null,
    elapsedSeconds: 0,
  };
}

function addTotals(a: Totals, b: Totals): Totals {
  return { lossSum: a.lossSum + b.lossSum, correct: a.correct + b.correct, samples: a.samples + b.samples };
}

export function meanLoss(totals: Totals): number {
  return totals.lossSum / totals.samples;
}

export function accuracy(totals: Totals): number {
  return totals.correct / totals.samples;
}

/** The state after a step is committed. */
export function afterStep(state: RunState, totals: StepTotals): RunState {
  return {
    ...state,
    step: state.step + 1,
    amaxHistory: [...updateAmaxHistory(Float32Array.from(state.amaxHistory), totals.maxima, AMAX_DECAY)],
    epochTotals: addTotals(state.epochTotals, totals),
  };
}

/** The figures of an epoch by which early stopping and the best checkpoint are decided. */
export interface EpochFigures {
  readonly epoch: number;
  readonly train: Totals;
  /** Totals over the images that are evaluated after an epoch; null without an evaluation. */
  readonly evaluated: Totals | null;
}

export type WatchedMetric = `${'val' | 'test' | 'train'}-${'loss' | 'accuracy'}`;

function watchedValue(figures: EpochFigures, metric: WatchedMetric): number | null {
  const totals = metric.startsWith('train') ? figures.train : figures.evaluated;
  if (totals === null) return null;
  return metric.endsWith('loss') ? meanLoss(totals) : accuracy(totals);
}

export interface EpochVerdict {
  readonly state: RunState;
  /** This evaluation is the best so far. */
  readonly improved: boolean;
}

/** Higher accuracy or, if that is equal, lower loss. */
function isBetter(evaluated: Totals, best: BestResult): boolean {
  const gain = accuracy(evaluated) - best.accuracy;
  return gain > 0 || (gain === 0 && meanLoss(evaluated) < best.loss);
}

/** The state after an epoch and its evaluation, and whether to go on. */
export function afterEpoch(
  state: RunState,
  figures: EpochFigures,
  options: EarlyStoppingOptions & { readonly metric: WatchedMetric },
): EpochVerdict {
  const watched = watchedValue(figures, options.metric);
  const stopping =
    watched === null
      ? { state: state.earlyStopping, stop: false, reason: '' }
      : updateEarlyStopping(state.earlyStopping, watched, options);
  const { evaluated, epoch } = figures;
  const improved = evaluated !== null && (state.best === null || isBetter(evaluated, state.best));
  const candidate = improved
    ? { step: state.step, epoch, accuracy: accuracy(evaluated), loss: meanLoss(evaluated) }
    : null;
  const ended = stopping.stop ? stopping.reason : null;
  return {
    state: { ...state, earlyStopping: stopping.state, candidate, ended, epochTotals: NO_TOTALS },
    improved,
  };
}

/**
 * The state once it is known which checkpoint is the newest: a candidate that is in it becomes the best, and any other is
 * given up, because nobody could open it.
 * @param saved step of the newest checkpoint, -1 for none
 */
export function withSavedBest(state: RunState, saved: number): RunState {
  const { best, candidate } = state;
  if (candidate === null) return state;
  return { ...state, best: candidate.step === saved ? candidate : best, candidate: null };
}
