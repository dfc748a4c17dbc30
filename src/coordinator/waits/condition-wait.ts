/** Waits with a time limit for a condition that others make true. */
import { reasonOf } from '../../errors/errors.js';
import type { Clock } from '../../host/clock.js';

export type WaitEnd = 'met' | 'late';

/** Conditions are looked at again at every `notify`. A wait ends met, late, or with what its condition throws. */
export class ConditionWait {
  readonly #clock: Clock;
  readonly #checks = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  notify(): void {
    for (const check of [...this.#checks]) check();
  }

  async until(condition: () => boolean, timeoutMs: number): Promise<WaitEnd> {
    return new Promise((resolve, reject) => {
      const finish = (end: () => void): void => {
        timer.cancel();
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
      const timer = this.#clock.after(timeoutMs, () => finish(() => resolve('late')));
      this.#checks.add(check);
      check();
    });
  }
}
