/** How fast the workers are, measured and planned with, and who is much slower. Pure but for its memory. */
import { planningSpeeds, stragglers, updateSpeeds } from '../step/speeds.js';
import type { StepReport } from '../step/step-outcome.js';
import type { Speeds } from '../step/step-planning.js';

export class Pace {
  readonly #bySpeed: boolean;
  #measured: Speeds = new Map();
  #planned: Speeds = new Map();
  #slow: ReadonlyMap<number, number> = new Map();

  /** @param bySpeed whether work is planned by speed */
  constructor(bySpeed: boolean) {
    this.#bySpeed = bySpeed;
  }

  /** Micro-batches a second by worker, smoothed. */
  get measured(): Speeds {
    return this.#measured;
  }

  /** Speeds to plan with: they change only where that is worth it; empty where all get the same. */
  get planned(): Speeds {
    return this.#planned;
  }

  /** Workers that need much longer than the others, with how many times the median. */
  get slow(): ReadonlyMap<number, number> {
    return this.#slow;
  }

  /** Takes in the reports of a committed step. @returns those who have become slow with it, with how many times */
  learn(reports: readonly StepReport[], ring: readonly number[]): ReadonlyMap<number, number> {
    const measurements = reports.map(({ worker, done: { timings } }) => {
      const { microBatches, dataMs, computeMs, quantiseMs } = timings;
      return { worker, microBatches, ms: dataMs + computeMs + quantiseMs };
    });
    this.#measured = updateSpeeds(this.#measured, measurements);
    if (this.#bySpeed) this.#planned = planningSpeeds(this.#planned, this.#measured, ring);
    const before = this.#slow;
    this.#slow = stragglers(this.#measured, ring);
    return new Map([...this.#slow].filter(([worker]) => !before.has(worker)));
  }
}
