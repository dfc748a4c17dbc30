/**
 * Keeps pixels in memory up to a limit. Nothing is evicted: in an epoch every image is used once, so a new
 * image is not worth more than an old one.
 */

/** Roughly the bytes that an entry takes besides its pixels: map entry, typed array and buffer. */
const OVERHEAD_BYTES = 256;

export class PixelCache<T> {
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
}
