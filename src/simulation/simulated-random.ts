/** The random numbers of a simulation: a pure function of its seed and of the purpose. */
import { KeyedRandom, PURPOSE } from '../numbers/random/keyed-random.js';

/** The streams of a seed. Drawing more from one of them does not change the others. */
export const STREAM = { faults: 1, network: 2, disk: 3, names: 4, compute: 5 } as const;

export class SimulatedRandom {
  readonly #random: KeyedRandom;

  constructor(seed: number, stream: number, of = 0) {
    this.#random = new KeyedRandom(seed, PURPOSE.simulation, stream, of);
  }

  /** Uniform on the integers [0, bound). */
  below(bound: number): number {
    return bound <= 1 ? 0 : this.#random.below(bound);
  }

  /** Uniform on (0, 1). */
  uniform(): number {
    return this.#random.uniform();
  }

  chance(probability: number): boolean {
    return this.#random.uniform() < probability;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.#random.uniform();
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}
