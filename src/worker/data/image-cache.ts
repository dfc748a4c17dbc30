/**
 * Keeps what was made of images, such as their pixels, in memory up to a limit. Nothing is evicted: in an epoch every
 * image is used once, so a new image is not worth more than an old one.
 */
import { SPLITS, type Split } from './micro-batch.js';

/** Roughly the bytes that an entry takes besides its values: map entry, typed array and buffer. */
export const OVERHEAD_BYTES = 256;

/** A number of its own for every sample of every split. */
export function imageNumber(split: Split, sample: number): number {
  return sample * SPLITS.length + SPLITS.indexOf(split);
}

export class ImageCache<T> {
  readonly #limitBytes: number;
  readonly #entries = new Map<number, T>();
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get(key: number): T | undefined {
    return this.#entries.get(key);
  }

  /** Keeps `value`, which has `bytes` bytes, if there is room. */
  offer(key: number, value: T, bytes: number): void {
    const cost = bytes + OVERHEAD_BYTES;
    if (this.#entries.has(key) || this.#usedBytes + cost > this.#limitBytes) return;
    this.#entries.set(key, value);
    this.#usedBytes += cost;
  }

  /** Drops everything. */
  clear(): void {
    this.#entries.clear();
    this.#usedBytes = 0;
  }
}
