/**
 * A stream of random numbers that is a pure function of (seed, purpose, key), so a checkpoint needs no random
 * state.
 */
import { philox4x32 } from './philox.js';
import { normalQuantile } from './normal-quantile.js';

/** The purposes of streams. The numbers are part of a run's identity: never renumber, only append. */
export const PURPOSE = {
  initialisation: 1,
  shuffle: 2,
  augmentation: 3,
  dropout: 4,
  demo: 5,
  chaos: 6,
  valSplit: 7,
  simulation: 8,
  dropPath: 9,
} as const;

export type Purpose = (typeof PURPOSE)[keyof typeof PURPOSE];

export class KeyedRandom {
  readonly #key: readonly [number, number];
  readonly #path: readonly [number, number];
  readonly #words = new Uint32Array(4);
  #block = 0;
  #used = 4;

  /**
   * @param seed unsigned 32-bit integer
   * @param path up to two unsigned 32-bit integers that name the stream within its purpose, e.g. (epoch, sample)
   */
  constructor(seed: number, purpose: Purpose, a = 0, b = 0) {
    this.#key = [seed >>> 0, purpose];
    this.#path = [a >>> 0, b >>> 0];
  }

  /** Uniform on the integers [0, 2^32). */
  uint32(): number {
    if (this.#used === 4) {
      const low = this.#block >>> 0;
      const high = Math.floor(this.#block / 0x100000000) >>> 0;
      philox4x32(this.#key, [low, high, this.#path[0], this.#path[1]], this.#words);
      this.#block++;
      this.#used = 0;
    }
    return this.#words[this.#used++]!;
  }

  /** Uniform on (0, 1), never 0 and never 1; 32 bits. */
  uniform(): number {
    return (this.uint32() + 0.5) / 0x100000000;
  }

  /** Uniform on the integers [0, bound), unbiased (rejection); bound <= 2^32. */
  below(bound: number): number {
    const limit = 0x100000000 - (0x100000000 % bound);
    let word = this.uint32();
    while (word >= limit) word = this.uint32();
    return word % bound;
  }

  /** Standard normal. */
  normal(): number {
    return normalQuantile(this.uniform());
  }
}
