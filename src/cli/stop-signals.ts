/** Signals as a process gets them: what it ignores from its start, what asks it to stop, what ends it. */
import { closeSync, constants, openSync } from 'node:fs';
import { constants as system } from 'node:os';
import { isatty } from 'node:tty';
import { heededSignals, ignoredSignals, meaningOf, NO_SIGNALS, type StopSignal } from './signal-meanings.js';

let ignored: ReadonlySet<StopSignal> = new Set();

/** Whether a terminal controls this process: its end sends SIGHUP. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDONLY | constants.O_NOCTTY));
    return true;
  } catch {
    return false;
  }
}

/**
 * To be called before anything else: from here on signals have the meaning of docs/signals.md. SIGUSR1 ends a process
 * like any other signal, where Node would open its debugger. bin/vitrail says what was ignored when it was started: Node
 * resets that before any script runs.
 */
export function beginSignals(): void {
  ignored = ignoredSignals({
    ignored: process.env['VITRAIL_IGNORED_SIGNALS'] ?? '',
    hasTerminal: hasTerminal(),
    usesTerminal: [0, 1, 2].some((stream) => isatty(stream)),
  });
  // What this process starts has its own terminal and streams to judge by.
  delete process.env['VITRAIL_IGNORED_SIGNALS'];
  for (const signal of ignored) process.on(signal, () => undefined);
  if (!ignored.has('SIGUSR1')) process.on('SIGUSR1', endBy);
}

/**
 * Ends this process at once, as if it had never listened for `signal`. (process.exit() would abort where a thread waits
 * for a message of ZeroMQ.)
 */
export function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** What a shell shows for a command that `signal` has ended. */
export function exitCodeOf(signal: StopSignal): number {
  return 128 + system.signals[signal];
}

export interface StopListening {
  /** This process is supervised: its parent decides what the signals of a terminal mean. */
  readonly supervised: boolean;
  /** Told of the first signal. */
  readonly onStop: (signal: StopSignal) => void;
  /** Told of the one that ends this process, right before it does. */
  readonly onEnd: () => void;
}

export interface StopSignals {
  /** The signal that asked for a stop, or null. */
  readonly given: () => StopSignal | null;
  release(): void;
}

/** From now on the first signal asks for a clean stop, and another of a person ends this process at once. */
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
