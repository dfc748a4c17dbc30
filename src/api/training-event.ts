/** What a run tells while it goes on: for a program as for the command line's display. */
import type { ClusterEventKind } from '../coordinator/members/cluster-event.js';
import type { EvaluatedSplit } from '../run/dataset/manifest.js';
import type { RunSummary, SplitFigures } from '../run/folder/run-summary.js';

/** Something that the user should know; a warning does not end the run. */
export interface NoteEvent {
  readonly kind: 'note';
  readonly level: 'info' | 'warning';
  readonly text: string;
}

/** `train` has chosen how many worker processes to start, with how many threads each. */
export interface PlacementEvent {
  readonly kind: 'placement';
  readonly workers: number;
  readonly threads: number;
  readonly reason: string;
}

/** Workers may connect. */
export interface ListeningEvent {
  readonly kind: 'listening';
  /** `tcp://HOST:PORT` for `runWorker` and `vitrail worker`, by which others reach it. */
  readonly coordinator: string;
  /** URL of the Prometheus metrics. */
  readonly metrics: string;
  /** Workers that the run starts with. */
  readonly workers: number;
}

/** Workers are there and hold the state: steps follow. Told again where the run had to go back to a checkpoint. */
export interface StartEvent {
  readonly kind: 'start';
  /** Of vitrail. */
  readonly version: string;
  readonly model: string;
  /** Trained numbers of the model. */
  readonly parameters: number;
  /** Of the whole run. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** The first step that follows: 0, or where a run goes on. */
  readonly fromStep: number;
  readonly workers: number;
  /** What they compute with; weights are comparable bit for bit between runs of one backend. */
  readonly backend: string;
}

/** A step is committed: it is in the run's journal, and no crash takes it back. */
export interface StepEvent extends SplitFigures {
  readonly kind: 'step';
  /** From 0. `loss` is the mean over `samples` images, `accuracy` a share from 0 to 1. */
  readonly step: number;
  /** From 0. */
  readonly epoch: number;
  readonly learningRate: number;
}

/** An epoch has ended. */
export interface EpochEvent {
  readonly kind: 'epoch';
  /** From 0. */
  readonly epoch: number;
  /** Committed steps. */
  readonly step: number;
  readonly train: SplitFigures;
  /** The images that were evaluated. */
  readonly split: EvaluatedSplit;
  /** Null where no evaluation was due. */
  readonly evaluated: SplitFigures | null;
  /** Its accuracy is the best so far. */
  readonly improved: boolean;
}

/** The test images, once everything is chosen without them. */
export interface FinalTestEvent extends SplitFigures {
  readonly kind: 'final-test';
  readonly step: number;
  /** The weights of the best checkpoint, or the last ones. */
  readonly weights: 'best' | 'last';
}

/** A checkpoint is complete on the disk. */
export interface CheckpointEvent {
  readonly kind: 'checkpoint';
  readonly step: number;
  /** Its folder. */
  readonly path: string;
  /** SHA-256 over all weights, in hexadecimal: that of `vitrail digest`. */
  readonly weightDigest: string;
  /** How long it took. */
  readonly ms: number;
}

/** A worker came, went or was found to be slow, cut off or wrong; or a disk is full. */
export interface ClusterChangeEvent {
  readonly kind: 'cluster';
  readonly what: ClusterEventKind;
  /** Its number in the run; null where it is not about one worker. */
  readonly worker: number | null;
  /** It leaves because the run has ended. */
  readonly atEnd: boolean;
  readonly text: string;
}

/** The run has ended, and its folder is complete. Always the last event. */
export interface EndEvent {
  readonly kind: 'end';
  /** As `summary.json` has it. `reason` is `finished`, or why it ended earlier. */
  readonly summary: RunSummary;
}

/** Told apart by `kind`. */
export type TrainingEvent =
  | NoteEvent
  | PlacementEvent
  | ListeningEvent
  | StartEvent
  | StepEvent
  | EpochEvent
  | FinalTestEvent
  | CheckpointEvent
  | ClusterChangeEvent
  | EndEvent;
