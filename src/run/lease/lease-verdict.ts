/** Whether a run folder's leases let another coordinator have it: judged by what is seen of them, without clocks of others. Pure. */
import { z } from 'zod';

export interface LeaseTiming {
  /** An owner writes its lease anew this often. */
  readonly renewMs: number;
  /** A lease that nobody has written for this long, by the clock of who watches it, has lapsed. */
  readonly lapseMs: number;
}

/** Nine renewals may come late or fail, while a disk is full or a server of files is slow. */
export const LEASE_TIMING: LeaseTiming = { renewMs: 2000, lapseMs: 20_000 };

export const leaseSchema = z.object({
  host: z.string(),
  pid: z.number().int().min(1),
  /** When the process began, in ticks since the boot: a number is given again, not with the same beginning. */
  startedAt: z.string(),
  /** Where that number means this process, empty where the system does not tell. */
  place: z.string(),
  /** No two leases have the same. */
  token: z.string(),
  renewals: z.number().int().min(0),
});
export type Lease = z.infer<typeof leaseSchema>;

/** A lease file at one look. */
export interface SeenLease {
  readonly number: number;
  readonly text: string;
  /** What can be told of its process from here; `unknown` for one of another place, and for a file nobody can read. */
  readonly process: 'runs' | 'gone' | 'unknown';
  /** For people. */
  readonly owner: string;
}

/** A lease file over several looks. */
export interface WatchedLease extends SeenLease {
  /** Of the first look that saw this text. */
  readonly sinceMs: number;
  readonly renewed: boolean;
}

/** What was known so far, and what another look shows. */
export function watched(
  before: readonly WatchedLease[],
  seen: readonly SeenLease[],
  nowMs: number,
): readonly WatchedLease[] {
  return seen.map((lease) => {
    const known = before.find(({ number }) => number === lease.number);
    if (known === undefined) return Object.assign({ sinceMs: nowMs, renewed: false }, lease);
    if (known.text === lease.text) return Object.assign({}, known, { process: lease.process });
    return Object.assign({ sinceMs: nowMs, renewed: true }, lease);
  });
}

export type LeaseVerdict =
  | { readonly kind: 'free' }
  | { readonly kind: 'held'; readonly owner: string; readonly reason: string }
  /** It takes this long to tell, unless the owner gives a sign before. */
  | { readonly kind: 'watch'; readonly owner: string; readonly forMs: number };

/**
 * Free where every lease is that of a process that is gone or has lapsed. A process is asked for only where its number
 * means the same here and there; any other has to show within `lapseMs` that it lives.
 */
export function leaseVerdict(
  leases: readonly WatchedLease[],
  nowMs: number,
  { lapseMs }: LeaseTiming,
): LeaseVerdict {
  let longest: LeaseVerdict = { kind: 'free' };
  for (const { process, owner, sinceMs, renewed } of leases) {
    if (process === 'runs') return { kind: 'held', owner, reason: 'it runs' };
    if (process === 'gone') continue;
    if (renewed) return { kind: 'held', owner, reason: 'it renewed its lease while that was watched' };
    const forMs = sinceMs + lapseMs - nowMs;
    if (forMs > 0 && (longest.kind !== 'watch' || longest.forMs < forMs)) {
      longest = { kind: 'watch', owner, forMs };
    }
  }
  return longest;
}
