/**
 * Keeps workers out that are well but that their neighbour in the ring cannot reach. If they were let in
 * again at once, they would stall every step, so they stay out for a while, twice as long each time. The time
 * is passed in; there is no clock.
 */

/**
 * About as long as a person needs to look at a network, and about as long as the three stalls that come
 * before it.
 */
const FIRST_MS = 30_000;
const LONGEST_MS = 900_000;

interface Term {
  readonly times: number;
  readonly untilMs: number;
}

export class Quarantine {
  readonly #terms = new Map<string, Term>();

  /** @param who names a process, whatever connection it has. @returns for how long it stays out, ms */
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
