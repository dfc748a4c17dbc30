/** Keeps pixels in memory up to a limit. Nothing is evicted: in an epoch every image comes once, so an old one is as good as a new one. */

/** Map entry, typed array and buffer of an entry, roughly. */
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

  /** Keeps `value`, of `bytes` bytes, if it still fits. */
  offer(key: number, value: T, bytes: number): void {
    const cost = bytes + OVERHEAD_BYTES;
    if (this.#entries.has(key) || this.#usedBytes + cost > this.#limitBytes) return;
    this.#entries.set(key, value);
    this.#usedBytes += cost;
  }
}
