/**
 * Decides whether a run folder's leases let another coordinator have it. It goes by what this process has
 * seen of them, never by the clock of another machine. Pure.
 */
import { z } from 'zod';

export interface LeaseTiming {
  /** The owner renews its lease this often, by writing it again. */
  readonly renewMs: number;
  /** A lease that was not renewed for this long, by the clock of the process that watches it, has lapsed. */
  readonly lapseMs: number;
}

/** Nine renewals may be late or fail, because a disk is full or a file server is slow. */
export const LEASE_TIMING: LeaseTiming = { renewMs: 2000, lapseMs: 20_000 };

export const leaseSchema = z.object({
  host: z.string(),
  pid: z.number().int().min(1),
  /**
   * When the process started, in ticks since the boot. A pid may be used again, but not with the same start.
   */
  startedAt: z.string(),
  /** The boot and pid namespace in which the pid names this process; empty if the system does not tell. */
  place: z.string(),
  /** Different for every lease. */
  token: z.string(),
  renewals: z.number().int().min(0),
});
export type Lease = z.infer<typeof leaseSchema>;

/** What one look at a lease file shows. */
export interface SeenLease {
  readonly number: number;
  readonly text: string;
  /**
   * Whether its process runs; `unknown` if it is of another machine or container, or if the file cannot be
   * read.
   */
  readonly process: 'runs' | 'gone' | 'unknown';
  /** For people. */
  readonly owner: string;
}

/** What several looks at a lease file have shown. */
export interface WatchedLease extends SeenLease {
  /** The time of the first look that saw this text. */
  readonly sinceMs: number;
  readonly renewed: boolean;
}

/** What was known so far, updated by another look. */
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
  /** It can take this long to decide, unless the owner renews its lease before. */
  | { readonly kind: 'watch'; readonly owner: string; readonly forMs: number };

/**
 * The folder is free if every lease has lapsed or belongs to a process that is gone. Whether a process is
 * gone can be seen only on its own machine and in its own pid namespace. Any other owner has to renew its
 * lease within `lapseMs`.
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
    if (renewed) return { kind: 'held', owner, reason: 'it renewed its lease while it was watched' };
    const forMs = sinceMs + lapseMs - nowMs;
    if (forMs > 0 && (longest.kind !== 'watch' || longest.forMs < forMs)) {
      longest = { kind: 'watch', owner, forMs };
    }
  }
  return longest;
}
