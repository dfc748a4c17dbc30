/** What signals mean to vitrail: one table for all that shells, schedulers and containers send. Pure. */

/** They ask a process to end. docs/signals.md says who sends which. */
const STOP_SIGNALS = [
  'SIGINT',
  'SIGTERM',
  'SIGQUIT',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGXCPU',
  'SIGPWR',
] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** Typed by a person, or sent on purpose: the second ends a process at once. The others come again by themselves. */
const INSISTENT: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGQUIT'];

/** npm passes Ctrl-C on to a process that has it from the terminal already: the same signal within this time is one. */
const ONE_SIGNAL_MS = 500;

/** What a supervised worker leaves to its parent, which gets the same: it comes from a terminal or for a whole job. */
const LEFT_TO_PARENT: readonly StopSignal[] = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGPWR'];

/** What a process finds when it starts. */
export interface StartConditions {
  /** Names of the signals that were ignored by whoever started it, where that is known. */
  readonly ignored: string;
  readonly hasTerminal: boolean;
  /** Of its three standard streams any is a terminal. */
  readonly usesTerminal: boolean;
}

/**
 * The signals that a process ignores from its start to its end. Whoever started it may have said so; nohup also shows
 * in this: there is a terminal, and no stream leads to it. Then the end of that terminal is no reason to stop.
 */
export function ignoredSignals({
  ignored,
  hasTerminal,
  usesTerminal,
}: StartConditions): ReadonlySet<StopSignal> {
  const named = ignored.split(' ');
  const detached = hasTerminal && !usesTerminal;
  return new Set(
    STOP_SIGNALS.filter((signal) => named.includes(signal) || (signal === 'SIGHUP' && detached)),
  );
}

/** The signals that ask this process to stop with what it does in order. */
export function heededSignals(ignored: ReadonlySet<StopSignal>, supervised: boolean): readonly StopSignal[] {
  return STOP_SIGNALS.filter(
    (signal) => !ignored.has(signal) && !(supervised && LEFT_TO_PARENT.includes(signal)),
  );
}

export interface GivenSignal {
  readonly signal: StopSignal;
  readonly atMs: number;
}

/** What has come so far. */
export interface SignalHistory {
  readonly stopping: boolean;
  /** The last one that a person or a manager of jobs insists with, or null. */
  readonly insisted: GivenSignal | null;
}

export const NO_SIGNALS: SignalHistory = { stopping: false, insisted: null };

export interface SignalVerdict {
  /** To stop in order, to end at once, or nothing new. */
  readonly meaning: 'stop' | 'end' | 'nothing';
  readonly history: SignalHistory;
}

/** What `next` means to a process that has got others. */
export function meaningOf(next: GivenSignal, { stopping, insisted }: SignalHistory): SignalVerdict {
  const insists = INSISTENT.includes(next.signal);
  const known = insisted?.signal === next.signal && next.atMs - insisted.atMs < ONE_SIGNAL_MS;
  const history = { stopping: true, insisted: insists && !known ? next : insisted };
  if (!stopping) return { meaning: 'stop', history };
  return { meaning: insists && insisted !== null && !known ? 'end' : 'nothing', history };
}
