/** When a run that rolls back to the same checkpoint again and again is to end. Pure. */

/** The last time that a run rolled back. */
export interface Rollback {
  /** Where to. */
  readonly step: number;
  /** The furthest that it had come when it rolled back there. */
  readonly reached: number;
  /** How often in a row it rolled back there without having come further in between. */
  readonly times: number;
}

/** What ends all workers of a step, or spoils it, will do so again. */
const MOST_TIMES = 3;

/** @param before the time before this one, null for none */
export function nextRollback(before: Rollback | null, step: number, reached: number): Rollback {
  const again = before?.step === step && reached <= before.reached;
  return again ? { step, reached: before.reached, times: before.times + 1 } : { step, reached, times: 1 };
}

export function isWithoutProgress({ times }: Rollback): boolean {
  return times >= MOST_TIMES;
}
