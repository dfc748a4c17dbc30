/**
 * Keeps workers out that are well but that a neighbour in the ring does not reach. Let in again at once they would stall
 * every step, so they stay out for a while, twice as long each time. The time is passed in; there is no clock.
 */

/** About as long as a person takes to look at a network. The three stalls before it take about as long. */
const FIRST_MS = 30_000;
const LONGEST_MS = 900_000;

interface Term {
  readonly times: number;
  readonly untilMs: number;
}

export class Quarantine {
  readonly #terms = new Map<string, Term>();

  /** @param who names a process, also where it has a new connection. @returns for how long it stays out */
  begin(who: string, nowMs: number): number {
    const times = (this.#terms.get(who)?.times ?? 0) + 1;
    const ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** (times - 1));
    this.#terms.set(who, { times, untilMs: nowMs + ms });
    return ms;
  }

  holds(who: string, nowMs: number): boolean {
    return nowMs < (this.#terms.get(who)?.untilMs ?? 0);
  }
}
