/** A checkpoint's model as a program holds it. */
import type { RunConfig } from '../run/config/schema.js';

/** A trained model that is open. It computes in this process, and one at a time does. */
export interface TrainedModel {
  /** The folder of the checkpoint. */
  readonly path: string;
  /** Committed steps of its run. */
  readonly step: number;
  /** Names of the classes, in the order of the logits. */
  readonly classes: readonly string[];
  /** Options of its run. */
  readonly config: Readonly<RunConfig>;
  /** Gives its memory back; what is asked of it afterwards is refused with MODEL_CLOSED. */
  close(): void;
}
