/** The content of a simulated file, as programs read it and as a power loss would leave it. */

/** Random numbers that follow from the seed. */
export interface RandomSource {
  /** An integer from 0 to n - 1. */
  below(n: number): number;
  /** True with probability `p`. */
  chance(p: number): boolean;
}

/** A byte array that can grow. */
class Bytes {
  #buffer = Buffer.alloc(64);
  length = 0;

  resize(length: number): void {
    if (length > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.length);
      this.#buffer = larger;
    }
    if (length < this.length) this.#buffer.fill(0, length, this.length);
    this.length = length;
  }

  write(at: number, bytes: Uint8Array): void {
    if (at + bytes.length > this.length) this.resize(at + bytes.length);
    this.#buffer.set(bytes, at);
  }

  take(other: Bytes): void {
    this.resize(0);
    this.write(0, other.view());
  }

  view(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }
}

/** A change that no sync has forced to the disk yet. */
type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'cut'; readonly length: number };

function apply(to: Bytes, change: Change): void {
  if (change.kind === 'write') to.write(change.at, change.bytes);
  else to.resize(change.length);
}

export class FileContent {
  readonly #seen = new Bytes();
  readonly #durable = new Bytes();
  #unsynced: Change[] = [];

  get length(): number {
    return this.#seen.length;
  }

  /** The caller must not change the result. */
  view(): Buffer {
    return this.#seen.view();
  }

  /** The content that a sync has forced to the disk. */
  durableView(): Buffer {
    return this.#durable.view();
  }

  write(at: number, bytes: Uint8Array): void {
    this.#change({ kind: 'write', at, bytes: Uint8Array.from(bytes) });
  }

  cut(length: number): void {
    this.#change({ kind: 'cut', length });
  }

  sync(): void {
    for (const change of this.#unsynced) apply(this.#durable, change);
    this.#unsynced = [];
  }

  /**
   * A failed sync: the system marks the pages as clean although they are not on the disk. They are read as before, but no
   * later sync brings them to the disk. (https://lwn.net/Articles/752063/)
   */
  failSync(): void {
    this.#unsynced = [];
  }

  /**
   * A power loss: synced content stays, and of the rest only the beginning, because a write may be torn at
   * any byte.
   */
  losePower(random: RandomSource): void {
    const whole = random.below(this.#unsynced.length + 1);
    for (const change of this.#unsynced.slice(0, whole)) apply(this.#durable, change);
    const torn = this.#unsynced[whole];
    if (torn?.kind === 'write') {
      this.#durable.write(torn.at, torn.bytes.subarray(0, random.below(torn.bytes.length + 1)));
    }
    this.#unsynced = [];
    this.#seen.take(this.#durable);
  }

  #change(change: Change): void {
    apply(this.#seen, change);
    this.#unsynced.push(change);
  }
}
