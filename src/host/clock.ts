/** Time, as everything that waits sees it: the system's clock, or that of a simulation. */
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface Timer {
  cancel(): void;
  /** The whole time again, from now. */
  refresh(): void;
}

export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** The time of day, for people: it may jump, and nothing follows from it. */
  date(): Date;
  /** Calls `action` once, after `ms`. */
  after(ms: number, action: () => void): Timer;
  /** Calls `action` every `ms`. */
  every(ms: number, action: () => void): Timer;
  /** Resolves after `ms`. */
  delay(ms: number): Promise<void>;
  /** Resolves when messages and timers that were due have had their turn. */
  turn(): Promise<void>;
}

function timerOf(timeout: NodeJS.Timeout): Timer {
  return { cancel: () => clearTimeout(timeout), refresh: () => void timeout.refresh() };
}

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after: (ms, action) => timerOf(setTimeout(action, ms)),
  every: (ms, action) => timerOf(setInterval(action, ms)),
  delay: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  turn: () => nextTurn(),
};
