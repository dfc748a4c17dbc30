/** A clock that stands still until it is driven, and draws from a seed, for what runs in virtual time. */
import { setImmediate as othersRun } from 'node:timers/promises';
import type { Clock, Timer } from '../../src/host/clock.js';
import { KeyedRandom, PURPOSE } from '../../src/numbers/random/keyed-random.js';
import type { RandomSource } from '../../src/simulation/file-content.js';

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

export class VirtualTime implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #due = new Set<Due>();

  now(): number {
    return this.#nowMs;
  }

  date(): Date {
    return new Date(this.#nowMs);
  }

  after(ms: number, action: () => void): Timer {
    let due: Due;
    const begin = (): void => {
      due = { atMs: this.#nowMs + ms, order: this.#order++, action };
      this.#due.add(due);
    };
    begin();
    const cancel = (): void => void this.#due.delete(due);
    return {
      cancel,
      refresh: () => {
        cancel();
        begin();
      },
    };
  }

  every(ms: number, action: () => void): Timer {
    const timer = this.after(ms, () => {
      timer.refresh();
      action();
    });
    return timer;
  }

  async delay(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  async turn(): Promise<void> {
    return this.delay(0);
  }

  /** Lets everything happen that happens until `untilMs`, or until nothing is due any more. */
  async drive(untilMs: number): Promise<void> {
    for (;;) {
      await othersRun();
      let next: Due | null = null;
      for (const due of this.#due) {
        const sooner =
          next === null || due.atMs < next.atMs || (due.atMs === next.atMs && due.order < next.order);
        if (sooner) next = due;
      }
      if (next === null || next.atMs > untilMs) return;
      this.#due.delete(next);
      this.#nowMs = next.atMs;
      next.action();
    }
  }

  /** What `work` comes to in virtual time. */
  async during<T>(work: Promise<T>): Promise<T> {
    const ended = { is: false };
    const end = (): void => {
      ended.is = true;
    };
    work.then(end, end);
    await this.drive(Infinity);
    if (!ended.is) throw new Error('nothing is due any more, and the work has not ended');
    return work;
  }
}

export function seeded(seed: number): RandomSource {
  const random = new KeyedRandom(seed, PURPOSE.chaos);
  return {
    below: (n) => Math.floor(random.uniform() * n),
    chance: (p) => random.uniform() < p,
  };
}
