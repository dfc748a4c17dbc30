/** Looks at the leases of a run folder without taking the folder. */
import type { Host } from '../../host/host.js';
import { seenLeases } from './lease-files.js';
import { LEASE_TIMING, leaseVerdict, watched, type LeaseTiming, type WatchedLease } from './lease-verdict.js';

const LOOK_MS = 200;

export type LeaseSeen =
  | { readonly kind: 'alive'; readonly owner: string; readonly reason: string }
  | { readonly kind: 'gone'; readonly reason: string };

export interface LeaseWatch {
  /** Called once if the lease has to be watched, with its owner and the longest time. */
  readonly onWatch: (owner: string, forMs: number) => void;
  /** True ends the watch. */
  readonly givenUp: () => boolean;
}

/**
 * Waits until the owner renews its lease, or until that would have lapsed.
 * @returns null if the watch was given up
 */
export async function leaseSign(
  host: Pick<Host, 'clock' | 'disk' | 'process'>,
  runDir: string,
  { onWatch, givenUp }: LeaseWatch,
  timing: LeaseTiming = LEASE_TIMING,
): Promise<LeaseSeen | null> {
  let known: readonly WatchedLease[] = [];
  for (let told = false; ; told = true) {
    const seen = await seenLeases(host, runDir);
    const nowMs = host.clock.now();
    known = watched(known, seen, nowMs);
    const verdict = leaseVerdict(known, nowMs, timing);
    if (verdict.kind === 'held') return { kind: 'alive', owner: verdict.owner, reason: verdict.reason };
    if (verdict.kind === 'free') return { kind: 'gone', reason: goneReason(known, timing) };
    if (!told) onWatch(verdict.owner, verdict.forMs);
    if (givenUp()) return null;
    await host.clock.delay(LOOK_MS);
  }
}

function goneReason(leases: readonly WatchedLease[], { lapseMs }: LeaseTiming): string {
  const last = leases.at(-1);
  if (last === undefined) return 'no process has the run folder';
  return last.process === 'gone'
    ? `${last.owner}, which had the run folder, is gone`
    : `${last.owner}, which had the run folder, has not renewed its lease for ${lapseMs / 1000} s`;
}
