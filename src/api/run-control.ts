/** Signals by which a program stops a run. */

export interface RunControl {
  /**
   * If it is aborted, the run ends in order, with a checkpoint of its last committed step. In the last event, `reason` of
   * the summary is the signal's reason if that is a text. Nothing is thrown.
   */
  readonly signal?: AbortSignal | undefined;
}

export interface TrainControl extends RunControl {
  /** If it is aborted, worker processes are killed at once, and with them the run, which can be resumed. */
  readonly kill?: AbortSignal | undefined;
}
