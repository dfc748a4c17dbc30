/** The events of a run, for programs and for the command line's display. */
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

/**
 * Workers have joined and hold the state, so steps follow. Comes again after the run went back to a
 * checkpoint.
 */
export interface StartEvent {
  readonly kind: 'start';
  /** Of vitrail. */
  readonly version: string;
  readonly model: string;
  /** Number of the model's parameters. */
  readonly parameters: number;
  /** Of the whole run. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** The next step: 0 in a new run, or the step where a run goes on. */
  readonly fromStep: number;
  readonly workers: number;
  /** The backend of all workers. Runs with the same backend have the same weights bit for bit. */
  readonly backend: string;
  /** The weights that the run started from, as `--init-from` names them; null for a run from its seed. */
  readonly initFrom: string | null;
  /** Their commit on a hub; null if they are from none. */
  readonly initCommit: string | null;
  /** Their SHA-256 (docs/interop.md); null if it is not known. */
  readonly initDigest: string | null;
}

/** A step is committed. It is in the run's journal, so a crash does not undo it. */
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
  /** Null if no evaluation was due. */
  readonly evaluated: SplitFigures | null;
  /** Whether its accuracy is the best so far. */
  readonly improved: boolean;
}

/** The evaluation of the test images, after everything was chosen without them. */
export interface FinalTestEvent extends SplitFigures {
  readonly kind: 'final-test';
  readonly step: number;
  /** Whether the weights are those of the best checkpoint, or the last ones. */
  readonly weights: 'best' | 'last';
}

/** A checkpoint is complete on the disk. */
export interface CheckpointEvent {
  readonly kind: 'checkpoint';
  readonly step: number;
  /** Its folder. */
  readonly path: string;
  /** SHA-256 over all weights, in hexadecimal, as `vitrail digest` prints it. */
  readonly weightDigest: string;
  /** How long it took. */
  readonly ms: number;
}

/** A worker came, went or was found to be slow, cut off or wrong; or a disk is full. */
export interface ClusterChangeEvent {
  readonly kind: 'cluster';
  readonly what: ClusterEventKind;
  /** The worker's number in the run; null if the event is not about one worker. */
  readonly worker: number | null;
  /** Whether it leaves because the run has ended. */
  readonly atEnd: boolean;
  readonly text: string;
}

/** The run has ended, and its folder is complete. Always the last event. */
export interface EndEvent {
  readonly kind: 'end';
  /** The content of `summary.json`. `reason` is `finished`, or why the run ended earlier. */
  readonly summary: RunSummary;
}

/** An event of a run; `kind` says which. */
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
