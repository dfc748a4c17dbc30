/**
 * Handles the signals of a process: those that it ignores, those that ask it to stop, and those that end it.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { constants as system } from 'node:os';
import { isatty } from 'node:tty';
import { heededSignals, ignoredSignals, meaningOf, NO_SIGNALS, type StopSignal } from './signal-meanings.js';

let ignored: ReadonlySet<StopSignal> = new Set();

/** Whether this process has a controlling terminal, whose end sends SIGHUP. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDONLY | constants.O_NOCTTY));
    return true;
  } catch {
    return false;
  }
}

/**
 * Must be called before anything else. From here on, signals have the meaning of docs/signals.md. SIGUSR1 ends a process
 * like any other signal, while Node would open its debugger. bin/vitrail tells which signals were ignored when it was
 * started, because Node resets that before any script runs.
 */
export function beginSignals(): void {
  ignored = ignoredSignals({
    ignored: process.env['VITRAIL_IGNORED_SIGNALS'] ?? '',
    hasTerminal: hasTerminal(),
    usesTerminal: [0, 1, 2].some((stream) => isatty(stream)),
  });
  // Processes that this one starts have to look at their own terminal and streams.
  delete process.env['VITRAIL_IGNORED_SIGNALS'];
  for (const signal of ignored) process.on(signal, () => undefined);
  if (!ignored.has('SIGUSR1')) process.on('SIGUSR1', endBy);
}

/**
 * Ends this process at once, as if it had never listened for `signal`. (process.exit() would abort if a thread waits for a
 * message of ZeroMQ.)
 */
export function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** The exit code that a shell shows for a command that `signal` has ended. */
export function exitCodeOf(signal: StopSignal): number {
  return 128 + system.signals[signal];
}

export interface StopListening {
  /** Whether this process is supervised, so that its parent decides about the signals of a terminal. */
  readonly supervised: boolean;
  /** Called with the first signal. */
  readonly onStop: (signal: StopSignal) => void;
  /** Called with the signal that ends this process, right before the end. */
  readonly onEnd: () => void;
}

export interface StopSignals {
  /** The signal that asked for a stop, or null. */
  readonly given: () => StopSignal | null;
  release(): void;
}

/**
 * From now on the first signal asks for a clean stop, and a second one from a person ends this process at
 * once.
 */
export function listenForStop({ supervised, onStop, onEnd }: StopListening): StopSignals {
  let first: StopSignal | null = null;
  let history = NO_SIGNALS;
  const heeded: readonly NodeJS.Signals[] = heededSignals(ignored, supervised);
  const handle = (signal: NodeJS.Signals): void => {
    const next = { signal: signal as StopSignal, atMs: performance.now() };
    const verdict = meaningOf(next, history);
    history = verdict.history;
    if (verdict.meaning === 'stop') {
      first = next.signal;
      onStop(next.signal);
    } else if (verdict.meaning === 'end') {
      onEnd();
      endBy(signal);
    }
  };
  const leftOut = (): void => undefined;
  const others = heededSignals(ignored, false).filter((signal) => !heeded.includes(signal));
  process.off('SIGUSR1', endBy);
  for (const signal of heeded) process.on(signal, handle);
  for (const signal of others) process.on(signal, leftOut);
  return {
    given: () => first,
    release: () => {
      for (const signal of heeded) process.off(signal, handle);
      for (const signal of others) process.off(signal, leftOut);
    },
  };
}
