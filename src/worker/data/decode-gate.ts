/** Lets decodes run side by side, and one of them alone when that is wanted. */
export class DecodeGate {
  /** Decodes under way. */
  #running = 0;
  #wakeWhenEmpty: (() => void) | null = null;
  /** The last one that runs alone, or a promise that has been kept. */
  #alone: Promise<unknown> = Promise.resolve();
  #closed = 0;

  /** Runs `task` beside others, after those that run alone. */
  async beside<T>(task: () => Promise<T>): Promise<T> {
    while (this.#closed > 0) await this.#alone;
    this.#running++;
    try {
      return await task();
    } finally {
      if (--this.#running === 0) this.#wakeWhenEmpty?.();
    }
  }

  /** Runs `task` when every other has ended; nothing starts before it has. */
  async alone<T>(task: () => Promise<T>): Promise<T> {
    this.#closed++;
    const mine = this.#alone.then(async () => {
      try {
        if (this.#running > 0) await new Promise<void>((resolve) => (this.#wakeWhenEmpty = resolve));
        return await task();
      } finally {
        this.#wakeWhenEmpty = null;
        this.#closed--;
      }
    });
    this.#alone = mine.catch(() => undefined);
    return mine;
  }
}
