/** Lets decodes run at the same time, or one of them alone if that is needed. */
export class DecodeGate {
  /** Decodes under way. */
  #running = 0;
  #wakeWhenEmpty: (() => void) | null = null;
  /** The last task that runs alone, or a resolved promise. */
  #alone: Promise<unknown> = Promise.resolve();
  #closed = 0;

  /** Runs `task` together with others, after those that run alone. */
  async beside<T>(task: () => Promise<T>): Promise<T> {
    while (this.#closed > 0) await this.#alone;
    this.#running++;
    try {
      return await task();
    } finally {
      if (--this.#running === 0) this.#wakeWhenEmpty?.();
    }
  }

  /** Runs `task` when every other one has ended. Nothing else starts until it has ended. */
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
