/** When a run that goes back to the same checkpoint again and again is to end. Pure. */

/** The last time that a run went back. */
export interface GoneBack {
  /** Where to. */
  readonly step: number;
  /** The furthest that it had come when it went back there. */
  readonly reached: number;
  /** How often in a row it went back there without having come further in between. */
  readonly times: number;
}

/** What ends all workers of a step, or spoils it, will do so again. */
const MOST_TIMES = 3;

/** @param before the time before this one, null for none */
export function goneBack(before: GoneBack | null, step: number, reached: number): GoneBack {
  const again = before?.step === step && reached <= before.reached;
  return again ? { step, reached: before.reached, times: before.times + 1 } : { step, reached, times: 1 };
}

export function isWithoutProgress({ times }: GoneBack): boolean {
  return times >= MOST_TIMES;
}
