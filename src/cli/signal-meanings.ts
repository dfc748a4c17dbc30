/** Decides what signals mean: those of shells, schedulers and containers. Pure. */

/** The signals that ask a process to end. docs/signals.md says who sends which. */
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

/**
 * Signals that a person types or sends on purpose: the second one ends a process at once. Schedulers repeat
 * the others.
 */
const INSISTENT: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGQUIT'];

/**
 * The same signal within this time counts once, because npm passes Ctrl-C on to a process that has it from
 * the terminal already.
 */
const ONE_SIGNAL_MS = 500;

/**
 * Signals that a supervised worker ignores. They come from a terminal or for a whole job, so its parent gets
 * them too and decides.
 */
const LEFT_TO_PARENT: readonly StopSignal[] = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGPWR'];

/** Facts about a process at its start. */
export interface StartConditions {
  /** Names of the signals that were already ignored when it was started, if that is known. */
  readonly ignored: string;
  readonly hasTerminal: boolean;
  /** Whether one of its three standard streams is a terminal. */
  readonly usesTerminal: boolean;
}

/**
 * The signals that a process ignores from its start to its end. Those that were ignored when it was started stay ignored.
 * If it has a terminal but no stream leads there, it was started by nohup, so the end of the terminal must not stop it.
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

/** The signals that ask this process to stop in order. */
export function heededSignals(ignored: ReadonlySet<StopSignal>, supervised: boolean): readonly StopSignal[] {
  return STOP_SIGNALS.filter(
    (signal) => !ignored.has(signal) && !(supervised && LEFT_TO_PARENT.includes(signal)),
  );
}

export interface GivenSignal {
  readonly signal: StopSignal;
  readonly atMs: number;
}

/** The signals that have come so far. */
export interface SignalHistory {
  readonly stopping: boolean;
  /** The last SIGINT, SIGTERM or SIGQUIT, or null. */
  readonly insisted: GivenSignal | null;
}

export const NO_SIGNALS: SignalHistory = { stopping: false, insisted: null };

export interface SignalVerdict {
  /** Stop in order, end at once, or nothing new. */
  readonly meaning: 'stop' | 'end' | 'nothing';
  readonly history: SignalHistory;
}

/** What `next` means after the signals that came before. */
export function meaningOf(next: GivenSignal, { stopping, insisted }: SignalHistory): SignalVerdict {
  const insists = INSISTENT.includes(next.signal);
  const known = insisted?.signal === next.signal && next.atMs - insisted.atMs < ONE_SIGNAL_MS;
  const history = { stopping: true, insisted: insists && !known ? next : insisted };
  if (!stopping) return { meaning: 'stop', history };
  return { meaning: insists && insisted !== null && !known ? 'end' : 'nothing', history };
}
