/** The simulation's clock in the hand of a test, which says how far time goes; and draws from a seed. */
import type { Clock } from '../../src/host/clock.js';
import { KeyedRandom, PURPOSE } from '../../src/numbers/random/keyed-random.js';
import type { RandomSource } from '../../src/simulation/file-content.js';
import { VirtualTime } from '../../src/simulation/virtual-time.js';

export class DrivenTime extends VirtualTime {
  readonly clock: Clock = this.clockOf(null);

  /** Lets everything happen that happens until `untilMs`, or until nothing is due any more. */
  async drive(untilMs: number): Promise<void> {
    await this.run(() => false, untilMs);
  }

  /** What `work` comes to in virtual time; the test fails where it waits for something that never happens. */
  async during<T>(work: Promise<T>, withinMs = Infinity): Promise<T> {
    const ended = { is: false };
    const end = (): void => {
      ended.is = true;
    };
    work.then(end, end);
    if (!(await this.run(() => ended.is, this.nowMs + withinMs)))
      throw new Error('the work has not ended, and nothing is due any more or its time is over');
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
