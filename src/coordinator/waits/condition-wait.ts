/** Waiting with a deadline for something that others make true. */
import { reasonOf } from '../../errors/errors.js';

export type WaitEnd = 'met' | 'late';

/** Conditions are looked at again at every `notify`. A wait ends met, late, or with what its condition throws. */
export class ConditionWait {
  readonly #checks = new Set<() => void>();

  notify(): void {
    for (const check of [...this.#checks]) check();
  }

  async until(condition: () => boolean, timeoutMs: number): Promise<WaitEnd> {
    return new Promise((resolve, reject) => {
      const finish = (end: () => void): void => {
        clearTimeout(timer);
        this.#checks.delete(check);
        end();
      };
      const check = (): void => {
        try {
          if (condition()) finish(() => resolve('met'));
        } catch (error) {
          finish(() => reject(error instanceof Error ? error : new Error(reasonOf(error))));
        }
      };
      const timer = setTimeout(() => finish(() => resolve('late')), timeoutMs);
      this.#checks.add(check);
      check();
    });
  }
}
