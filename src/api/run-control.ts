/** How a run is stopped from outside. */

export interface RunControl {
  /**
   * Aborted: the run ends in order, with a checkpoint of its last committed step. The last event says so: `reason` of
   * its summary is the signal's reason where that is a text. Nothing is thrown.
   */
  readonly signal?: AbortSignal | undefined;
}

export interface TrainControl extends RunControl {
  /** Aborted: worker processes are killed at once, and with them the run, which can be resumed. */
  readonly kill?: AbortSignal | undefined;
}
