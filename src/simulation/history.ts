/** Draws the faults of a simulated run and their times: a pure function of the seed. */
import type { DiskOperation } from './disk-operation.js';
import { SimulatedRandom, STREAM } from './simulated-random.js';
import { QUICK, type Latency } from './simulated-wire.js';

/**
 * The target of a fault: a worker by its position in the list of all that were ever started, or the
 * coordinator.
 */
export type Target = number | 'coordinator';

export type Fault =
  /**
   * A process dies at once. With `silent` its machine dies too, so that connections are not closed and
   * unsynced writes may be lost.
   */
  | {
      readonly kind: 'kill';
      readonly target: Target;
      readonly silent: boolean;
      readonly backAfterMs: number | null;
    }
  /** The coordinator dies when it sends `message` for the `nth` time. */
  | {
      readonly kind: 'kill-at';
      readonly message: 'commit' | 'stepPlan' | 'digestRequest' | 'welcome';
      readonly nth: number;
      readonly silent: boolean;
      readonly backAfterMs: number;
    }
  /** A process dies at its `nth` operation from now on, which is a message, a timer or a call of the disk. */
  | {
      readonly kind: 'kill-in';
      readonly target: Target;
      readonly nth: number;
      readonly silent: boolean;
      readonly backAfterMs: number;
    }
  /** A process stands still, as after SIGSTOP. */
  | { readonly kind: 'suspend'; readonly target: Target; readonly forMs: number }
  /** The training thread of a worker stands still, while its communication thread goes on. */
  | { readonly kind: 'hang'; readonly target: number; readonly forMs: number }
  | { readonly kind: 'cut'; readonly a: Target; readonly b: Target }
  | { readonly kind: 'part'; readonly a: Target; readonly b: Target; readonly forMs: number }
  | { readonly kind: 'join' }
  | { readonly kind: 'leave'; readonly target: number }
  /** A person stops the run, and starts it again later. */
  | { readonly kind: 'stop'; readonly backAfterMs: number }
  /** Only so many bytes can still be written. */
  | { readonly kind: 'disk-full'; readonly room: number; readonly forMs: number }
  /** Every call of the disk takes this much longer. */
  | { readonly kind: 'disk-slow'; readonly byMs: number; readonly forMs: number }
  /** The next call of that kind fails. */
  | { readonly kind: 'disk-fails'; readonly operation: DiskOperation }
  /** The next message is replaced by noise. */
  | { readonly kind: 'noise' }
  /** The next segment of an all-reduce, or chunk of a state, arrives with a changed byte. */
  | { readonly kind: 'spoil'; readonly what: 'ring' | 'state' }
  | { readonly kind: 'clock-jump'; readonly target: Target; readonly byMs: number }
  /** A weight of a worker changes, as in broken memory. */
  | { readonly kind: 'damage'; readonly target: number }
  /** A worker reports a wrong digest. */
  | { readonly kind: 'lie'; readonly target: number };

export interface PlannedFault {
  readonly atMs: number;
  readonly fault: Fault;
}

export interface History {
  readonly seed: number;
  readonly workers: number;
  readonly minWorkers: number;
  /** The kind of run; see `VARIANTS`. */
  readonly variant: number;
  readonly checkpointEverySteps: number;
  readonly auditEverySteps: number;
  readonly latency: Latency;
  readonly faults: readonly PlannedFault[];
}

const VARIANTS = 3;
/** Approximate time of a run without faults. */
const USUAL_MS = 400;
const MOST_WORKERS = 4;
const MOST_FAULTS = 6;
const MOST_DRAWS = 10_000;
/** Longer than any run may take. */
const NO_END_MS = 1e9;
const FAILING: readonly DiskOperation[] = [
  'sync',
  'sync',
  'append',
  'truncate',
  'syncFolder',
  'rename',
  'open',
  'writeAt',
  'makeFolder',
  'remove',
  'close',
];
const LIES: readonly string[] = ['damage', 'lie'];
const MESSAGES = ['commit', 'commit', 'commit', 'stepPlan', 'digestRequest', 'welcome'] as const;

/**
 * @param seed unsigned 32-bit integer
 * @param only kinds of faults that the history is made of; empty for all. This aims a search: a fault in the code that
 * needs two rare faults at once is found in tens of histories in place of tens of thousands.
 */
export function historyOf(seed: number, only: readonly string[] = []): History {
  const random = new SimulatedRandom(seed, STREAM.faults);
  // A liar is found by a majority of honest workers, so such runs must not lose workers in other ways.
  const liars = only.length === 0 ? random.chance(0.1) : only.every((kind) => LIES.includes(kind));
  const workers = liars ? 3 + random.below(2) : 1 + random.below(MOST_WORKERS);
  const count = random.chance(0.05) ? 0 : 1 + random.below(MOST_FAULTS);
  const faults = Array.from({ length: liars ? 1 : count }, () => {
    // Mostly in the beginning, sometimes when the run should be over.
    const atMs = random.uniform() * USUAL_MS * (random.chance(0.2) ? 3 : 1);
    return { atMs, fault: liars ? lieOf(random, workers) : oneOf(random, workers, only) };
  }).sort((a, b) => a.atMs - b.atMs);
  const minWorkers = random.chance(0.7) ? 1 : 1 + random.below(workers);
  return {
    seed,
    workers,
    // A worker that joins takes the state from one peer, even a wrong state. So a majority must be there
    // before.
    minWorkers: liars ? workers : minWorkers,
    variant: random.below(VARIANTS),
    checkpointEverySteps: random.pick([0, 1, 2, 3]),
    auditEverySteps: random.pick([0, 1, 2]),
    latency: random.chance(0.75) ? QUICK : wideOf(random),
    faults,
  };
}

/** The latency of a network in which many messages may overtake another. */
function wideOf(random: SimulatedRandom): Latency {
  return {
    usualMs: random.between(0.5, 10),
    slowMs: random.between(50, 3000),
    slowShare: random.between(0, 0.1),
  };
}

function oneOf(random: SimulatedRandom, workers: number, only: readonly string[]): Fault {
  for (let draws = 0; draws < MOST_DRAWS; draws++) {
    const fault = faultOf(random, workers);
    if (only.length === 0 || only.includes(fault.kind)) return fault;
  }
  throw new Error(`no fault is of the kind ${only.join(' or ')}`);
}

function lieOf(random: SimulatedRandom, workers: number): Fault {
  const kind = random.pick(['damage', 'lie'] as const);
  return { kind, target: random.below(workers) };
}

function faultOf(random: SimulatedRandom, workers: number): Fault {
  const target = (): Target => (random.chance(0.35) ? 'coordinator' : random.below(workers + 1));
  const worker = (): number => random.below(workers + 1);
  const other = (): Target => (random.chance(0.5) ? 'coordinator' : worker());
  const ms = (most: number): number => random.uniform() ** 2 * most;
  /** Sometimes without end. */
  const longMs = (most: number): number => (random.chance(0.15) ? NO_END_MS : ms(most));
  const silent = random.chance(0.3);
  switch (random.below(20)) {
    case 0:
    case 1:
      return { kind: 'kill', target: target(), silent, backAfterMs: random.chance(0.8) ? ms(6000) : null };
    case 2:
    case 3: {
      const [message, nth] = [random.pick(MESSAGES), 1 + random.below(12)];
      return { kind: 'kill-at', message, nth, silent, backAfterMs: ms(6000) };
    }
    case 4:
    case 5:
    case 6:
      return { kind: 'kill-in', target: target(), nth: 1 + random.below(200), silent, backAfterMs: ms(6000) };
    case 7:
      return { kind: 'suspend', target: target(), forMs: ms(30_000) };
    case 8:
      return { kind: 'hang', target: worker(), forMs: longMs(30_000) };
    case 9:
      return { kind: 'cut', a: worker(), b: other() };
    case 10:
      return { kind: 'part', a: worker(), b: other(), forMs: longMs(20_000) };
    case 11:
      return { kind: 'join' };
    case 12:
      return { kind: 'leave', target: worker() };
    case 13:
      return { kind: 'stop', backAfterMs: ms(4000) };
    case 14:
      return { kind: 'disk-full', room: random.chance(0.5) ? 0 : random.below(4000), forMs: ms(5000) };
    case 15:
      return { kind: 'disk-slow', byMs: random.uniform() * 1000, forMs: ms(20_000) };
    case 16:
      return { kind: 'disk-fails', operation: random.pick(FAILING) };
    case 17:
      return { kind: 'noise' };
    case 18:
      return { kind: 'spoil', what: random.pick(['ring', 'state'] as const) };
    default:
      return { kind: 'clock-jump', target: target(), byMs: (random.chance(0.5) ? 1 : -1) * ms(1e8) };
  }
}

/** `history` without its fault number `i`. */
export function withoutFault(history: History, i: number): History {
  return { ...history, faults: history.faults.filter((_, at) => at !== i) };
}

/** Faults after which every worker still has its state and comes back at once. */
const HARMLESS: readonly Fault['kind'][] = ['cut', 'join', 'clock-jump', 'disk-slow', 'disk-full'];

/** A fault that can take the state from all workers; null if the history has none. */
export function reasonToRollBack({ faults, latency }: History): string | null {
  if (latency !== QUICK) return 'a slow network';
  return faults.find(({ fault }) => !HARMLESS.includes(fault.kind))?.fault.kind ?? null;
}
