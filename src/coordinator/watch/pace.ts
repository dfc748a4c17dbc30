/**
 * Remembers how fast the workers are, which speeds the plan uses, and which workers are much slower. Pure
 * apart from its memory.
 */
import { planningSpeeds, stragglers, updateSpeeds } from '../step/speeds.js';
import type { StepReport } from '../step/step-outcome.js';
import type { Speeds } from '../step/step-planning.js';

export class Pace {
  readonly #bySpeed: boolean;
  #measured: Speeds = new Map();
  #planned: Speeds = new Map();
  #slow: ReadonlyMap<number, number> = new Map();

  /** @param bySpeed whether faster workers get more micro-batches */
  constructor(bySpeed: boolean) {
    this.#bySpeed = bySpeed;
  }

  /** Micro-batches a second by worker, smoothed. */
  get measured(): Speeds {
    return this.#measured;
  }

  /**
   * The speeds to plan with. They change only if that is worth it; they are empty if all workers get the
   * same.
   */
  get planned(): Speeds {
    return this.#planned;
  }

  /** Workers that need much longer than the others, each with its time as a multiple of the median. */
  get slow(): ReadonlyMap<number, number> {
    return this.#slow;
  }

  /**
   * Learns from the reports of a committed step. @returns the workers that have become slow with it, as in
   * `slow`
   */
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
