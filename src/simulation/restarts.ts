/** What a person starts again after a coordinator has ended. */

/** After so many starts without progress the workers are started again as well. */
const STARTS_IN_VAIN = 2;
export const MOST_RESTARTS = 60;

export class Restarts {
  #count = 0;
  #inVain = 0;
  #committedAtStart = 0;

  /** A coordinator starts. @param committed how many different steps were ever committed */
  began(committed: number): void {
    this.#committedAtStart = committed;
  }

  /** A coordinator has ended. @returns who is started again; nobody: it was tried too often */
  next(committed: number): 'the coordinator' | 'all' | 'nobody' {
    if (++this.#count > MOST_RESTARTS) return 'nobody';
    this.#inVain = committed > this.#committedAtStart ? 0 : this.#inVain + 1;
    if (this.#inVain <= STARTS_IN_VAIN) return 'the coordinator';
    this.#inVain = 0;
    return 'all';
  }
}
