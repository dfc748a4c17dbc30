/** The interface of a program to a checkpoint's model. */
import type { RunConfig } from '../run/config/schema.js';

/** An open trained model. It computes in this process; only one model computes at a time. */
export interface TrainedModel {
  /** The folder of the checkpoint. */
  readonly path: string;
  /** Committed steps of its run. */
  readonly step: number;
  /** Names of the classes, in the order of the logits. */
  readonly classes: readonly string[];
  /** Options of its run. */
  readonly config: Readonly<RunConfig>;
  /** Frees its memory. Any use after that is refused with MODEL_CLOSED. */
  close(): void;
}
