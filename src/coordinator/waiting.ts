/** Waiting with a deadline for something that others make true. */

export type WaitEnd = 'met' | 'late';

/** Conditions that are looked at again whenever `notify` is called. Every wait ends: met, or late. */
export class Waiting {
  readonly #checks = new Set<() => void>();

  notify(): void {
    for (const check of [...this.#checks]) check();
  }

  async until(condition: () => boolean, timeoutMs: number): Promise<WaitEnd> {
    return new Promise((resolve) => {
      const finish = (end: WaitEnd): void => {
        clearTimeout(timer);
        this.#checks.delete(check);
        resolve(end);
      };
      const check = (): void => {
        if (condition()) finish('met');
      };
      const timer = setTimeout(() => finish('late'), timeoutMs);
      this.#checks.add(check);
      check();
    });
  }
}
