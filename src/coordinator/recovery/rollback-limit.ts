/** Decides when a run ends that rolls back to the same checkpoint again and again. Pure. */

/** The last time that a run rolled back. */
export interface Rollback {
  /** The step that it rolled back to. */
  readonly step: number;
  /** The furthest step that it had reached before it rolled back there. */
  readonly reached: number;
  /** How many times in a row it rolled back there without getting further in between. */
  readonly times: number;
}

/** What has ended all workers of a step, or spoilt the step, this often would do so again. */
const MOST_TIMES = 3;

/** @param before the rollback before this one; null if there was none */
export function nextRollback(before: Rollback | null, step: number, reached: number): Rollback {
  const again = before?.step === step && reached <= before.reached;
  return again ? { step, reached: before.reached, times: before.times + 1 } : { step, reached, times: 1 };
}

export function isWithoutProgress({ times }: Rollback): boolean {
  return times >= MOST_TIMES;
}
