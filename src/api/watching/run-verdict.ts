/** Decides whether a run still runs, as far as that can be seen from this machine. Pure. */

import type { LeaseSeen } from '../../run/lease/lease-sign.js';

export interface RunSeen {
  /** How it ended, according to its journal; null if the journal does not say. */
  readonly end: string | null;
  /** Why its coordinator does not answer; null if it does. */
  readonly silence: string | null;
  /** Whether this is the machine of the coordinator, so that a coordinator that is not here is gone. */
  readonly fromItsPlace: boolean;
  /** Whether nothing listens at its address. */
  readonly gone: boolean;
  readonly journalAgeMs: number;
  /** What its lease shows, if the page does not tell; null if nobody has looked. */
  readonly lease: LeaseSeen | null;
}

export interface RunVerdict {
  readonly state: 'running' | 'ended' | 'interrupted' | 'unknown';
  readonly reason: string;
}

/** For people: 12 s, 5 min, 3.5 h, 4 days. */
export function age(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  if (seconds < 6000) return `${(seconds / 60).toFixed(0)} min`;
  return seconds < 172_800 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(0)} days`;
}

export function runVerdict({ end, silence, fromItsPlace, gone, journalAgeMs, lease }: RunSeen): RunVerdict {
  if (end !== null) return { state: 'ended', reason: end };
  if (silence === null) return { state: 'running', reason: 'its coordinator answers' };
  if (gone && fromItsPlace) return { state: 'interrupted', reason: silence };
  if (lease?.kind === 'alive') {
    return { state: 'running', reason: `${lease.owner} has the run folder: ${lease.reason}` };
  }
  if (lease?.kind === 'gone') return { state: 'interrupted', reason: lease.reason };
  const written = `its journal was last written ${age(journalAgeMs)} ago`;
  return { state: 'unknown', reason: `${silence}; ${written}` };
}

/** The verdict in one line. */
export function verdictText({ state, reason }: RunVerdict): string {
  return state === 'unknown'
    ? `it cannot be told from here whether it still runs: ${reason}`
    : `${state}: ${reason}`;
}
