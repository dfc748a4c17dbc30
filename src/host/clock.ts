/** The clock and timers that all waits use: the system's, or those of a simulation. */
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface Timer {
  cancel(): void;
  /** Starts the timer again, with its full time from now on. */
  refresh(): void;
}

export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** The time of day, for people. It may jump, so nothing is decided by it. */
  date(): Date;
  /** Calls `action` once, after `ms`. */
  after(ms: number, action: () => void): Timer;
  /** Calls `action` every `ms`. */
  every(ms: number, action: () => void): Timer;
  /** Resolves after `ms`. */
  delay(ms: number): Promise<void>;
  /** Resolves after messages and timers that were due have been handled. */
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
