/**
 * The events that the trainer reports to observers: log, metrics, progress display. Observers change nothing.
 */
import type { EvaluatedSplit } from '../../run/dataset/manifest.js';
import type { Body } from '../../wire/codec.js';
import type { ClusterEvent } from '../members/cluster-event.js';
import type { EpochFigures, StepTotals, Totals } from '../../run/journal/run-state.js';
import type { StepReport } from '../step/step-outcome.js';

export interface RunStarted {
  readonly version: string;
  readonly name: string;
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly fromStep: number;
  /** The newest step with a checkpoint, -1 for none. */
  readonly saved: number;
  readonly workers: number;
  readonly backend: string;
  readonly parameters: number;
  /** What it started from besides its seed: a path or name, its commit on a hub, its digest. */
  readonly initFrom: string | null;
  readonly initCommit: string | null;
  readonly initDigest: string | null;
}

export interface StepObserved {
  readonly step: number;
  readonly epoch: number;
  readonly learningRate: number;
  readonly totals: StepTotals;
  readonly reports: readonly StepReport[];
  readonly repeats: number;
  readonly replans: number;
  readonly roundMs: number;
  readonly commitMs: number;
  readonly speeds: ReadonlyMap<number, number>;
  readonly stragglers: ReadonlyMap<number, number>;
}

/** The evaluation of the test images, after everything was chosen without them. */
export interface FinalTestObserved {
  readonly step: number;
  readonly test: Totals;
  /** Whether the weights are those of the best checkpoint; otherwise they are the last ones. */
  readonly best: boolean;
}

export interface EpochObserved extends EpochFigures {
  /** The images that were evaluated. */
  readonly split: EvaluatedSplit;
  /** Committed steps. */
  readonly step: number;
  readonly improved: boolean;
  /** Time of the evaluation; null without one. */
  readonly evaluationMs: number | null;
}

export interface CheckpointObserved {
  readonly step: number;
  readonly path: string;
  readonly ms: number;
  readonly weightDigest: string;
}

export interface TrainingObserver {
  onStart(event: RunStarted): void;
  onStep(event: StepObserved): void;
  /** A worker has applied a committed step. */
  onUpdate(worker: number, event: Body<'updateDone'>): void;
  onEpoch(event: EpochObserved): void;
  onFinalTest(event: FinalTestObserved): void;
  onCheckpoint(event: CheckpointObserved): void;
  onClusterEvent(event: ClusterEvent): void;
}

/** One observer that tells all of `observers`, in order. */
export function allOf(observers: readonly Partial<TrainingObserver>[]): TrainingObserver {
  return {
    onStart: (event) => observers.forEach((o) => o.onStart?.(event)),
    onStep: (event) => observers.forEach((o) => o.onStep?.(event)),
    onUpdate: (worker, event) => observers.forEach((o) => o.onUpdate?.(worker, event)),
    onEpoch: (event) => observers.forEach((o) => o.onEpoch?.(event)),
    onFinalTest: (event) => observers.forEach((o) => o.onFinalTest?.(event)),
    onCheckpoint: (event) => observers.forEach((o) => o.onCheckpoint?.(event)),
    onClusterEvent: (event) => observers.forEach((o) => o.onClusterEvent?.(event)),
  };
}
