/**
 * Makes sure that a run folder has one coordinator: its owner renews a lease, and another may take it when it
 * has lapsed.
 */
import { coded, reasonOf, VitrailError } from '../../errors/errors.js';
import { makeFolders } from '../../host/atomic-file.js';
import type { Timer } from '../../host/clock.js';
import type { DiskFile } from '../../host/disk.js';
import type { Host } from '../../host/host.js';
import { createLease, leasePath, leaseText, parsedLease, removeLease, seenLeases } from './lease-files.js';
import {
  LEASE_TIMING,
  leaseVerdict,
  watched,
  type Lease,
  type LeaseTiming,
  type LeaseVerdict,
  type SeenLease,
  type WatchedLease,
} from './lease-verdict.js';

export interface TakeOptions {
  /** Called once with an owner that has to be watched, and for how long at most. */
  readonly onWatch: (owner: string, forMs: number) => void;
  /** Gives a reason to stop watching, or null. */
  readonly stopRequested: () => string | null;
  readonly timing?: LeaseTiming;
}

const LOOK_MS = 200;
/** Other processes may take the lease and give it back between two looks, but only this many times. */
const MOST_LAPSES = 4;

type LeaseHost = Pick<Host, 'clock' | 'disk' | 'process'>;

export class RunLease {
  readonly #host: LeaseHost;
  readonly #runDir: string;
  readonly #number: number;
  readonly #file: DiskFile;
  readonly #madeFolder: boolean;
  readonly #timer: Timer;
  #lease: Lease;
  #renewing: Promise<void> | null = null;
  #onLost: (error: VitrailError) => void = () => undefined;

  private constructor(
    host: LeaseHost,
    created: Created,
    runDir: string,
    madeFolder: boolean,
    { renewMs }: LeaseTiming,
  ) {
    this.#host = host;
    this.#runDir = runDir;
    this.#number = created.number;
    this.#file = created.file;
    this.#lease = created.lease;
    this.#madeFolder = madeFolder;
    this.#timer = host.clock.every(renewMs, () => this.#renew());
  }

  /**
   * Takes the folder, and creates it if it is missing. The lease of a process that was killed on this machine
   * is taken over at once, any other lease when it has lapsed.
   * @throws RUN_LOCKED, RUN_WRITE_FAILED
   */
  static async take(host: LeaseHost, runDir: string, options: TakeOptions): Promise<RunLease> {
    const timing = options.timing ?? LEASE_TIMING;
    try {
      const madeFolder = await makeFolders(host.disk, runDir);
      const created = await taken(host, runDir, options, timing);
      return new RunLease(host, created, runDir, madeFolder, timing);
    } catch (error) {
      if (error instanceof VitrailError) throw error;
      throw coded('RUN_WRITE_FAILED', { path: leasePath(runDir, 1), reason: reasonOf(error) });
    }
  }

  /** Whether the folder still belongs to this process. Has to be asked before every write to the folder. */
  async isHeld(): Promise<boolean> {
    const text = await leaseText(this.#host.disk, this.#runDir, this.#number);
    // Nearly always; a renewal that is under way has another text.
    if (text === textOf(this.#lease)) return true;
    return text !== null && (parsedLease(text)?.token ?? this.#lease.token) === this.#lease.token;
  }

  /** @throws RUN_TAKEN_OVER; RUN_WRITE_FAILED if it cannot be found out */
  async check(): Promise<void> {
    let held: boolean;
    try {
      held = await this.isHeld();
    } catch (error) {
      const path = leasePath(this.#runDir, this.#number);
      throw coded('RUN_WRITE_FAILED', { path, reason: reasonOf(error) });
    }
    if (!held) throw coded('RUN_TAKEN_OVER', { path: this.#runDir, owner: await this.#successor() });
  }

  /** Calls `listener` once if another process is found to own the folder. */
  onLost(listener: (error: VitrailError) => void): void {
    this.#onLost = listener;
  }

  /**
   * Gives the folder back. If the folder was created for this lease and holds nothing else, it is removed.
   */
  async release(): Promise<void> {
    this.#timer.cancel();
    try {
      await this.#renewing;
      await this.#file.close();
      if (await this.isHeld()) await removeLease(this.#host.disk, this.#runDir, this.#number);
      if (this.#madeFolder) await this.#host.disk.removeEmptyFolder(this.#runDir);
    } catch {
      // The folder holds a run by now, or cannot be read any more. Then the lease lapses by itself.
    }
  }

  async #successor(): Promise<string> {
    const seen = await seenLeases(this.#host, this.#runDir);
    const leases = seen.filter(({ text }) => parsedLease(text) !== null);
    return leases.at(-1)?.owner ?? 'another process, which has left it again';
  }

  #renew(): void {
    // If a renewal fails (a full disk, a file server that is away), the next one makes up for it.
    this.#renewing ??= this.#write()
      .catch((error: unknown) => {
        if (!(error instanceof VitrailError) || error.code !== 'RUN_TAKEN_OVER') return;
        this.#timer.cancel();
        this.#onLost(error);
      })
      .then(() => {
        this.#renewing = null;
      });
  }

  async #write(): Promise<void> {
    await this.check();
    this.#lease = Object.assign({}, this.#lease, { renewals: this.#lease.renewals + 1 });
    await writeLease(this.#file, this.#lease);
  }
}

interface Created {
  readonly number: number;
  readonly file: DiskFile;
  readonly lease: Lease;
}

function textOf(lease: Lease): string {
  return JSON.stringify(lease);
}

/** Writes at the beginning, because the text never becomes shorter. Syncs, so that other machines see it. */
async function writeLease(file: DiskFile, lease: Lease): Promise<void> {
  await file.writeAt(Buffer.from(textOf(lease)), 0);
  await file.datasync();
}

function lockedBy(runDir: string, owner: string, reason: string, { lapseMs }: LeaseTiming): VitrailError {
  return coded('RUN_LOCKED', { path: runDir, owner, reason, seconds: lapseMs / 1000 });
}

async function taken(
  host: LeaseHost,
  runDir: string,
  options: TakeOptions,
  timing: LeaseTiming,
): Promise<Created> {
  const beganMs = host.clock.now();
  let known: readonly WatchedLease[] = [];
  let told = false;
  for (;;) {
    const seen = await seenLeases(host, runDir);
    const nowMs = host.clock.now();
    known = watched(known, seen, nowMs);
    const verdict: LeaseVerdict = leaseVerdict(known, nowMs, timing);
    if (verdict.kind === 'held') throw lockedBy(runDir, verdict.owner, verdict.reason, timing);
    const created = verdict.kind === 'free' ? await succeeded(host, runDir, known) : null;
    if (created !== null) return created;
    const owner = verdict.kind === 'watch' ? verdict.owner : 'one process after the other';
    if (verdict.kind === 'watch' && !told) options.onWatch(owner, verdict.forMs);
    told ||= verdict.kind === 'watch';
    const stop = options.stopRequested();
    if (stop !== null) throw lockedBy(runDir, owner, `${stop} before its lease had lapsed`, timing);
    if (nowMs - beganMs > timing.lapseMs * MOST_LAPSES) {
      throw lockedBy(runDir, owner, 'others take it again and again', timing);
    }
    await host.clock.delay(Math.min(LOOK_MS, timing.lapseMs / 10));
  }
}

/** Creates the next lease, if no lease has been added or changed since they were judged. */
async function succeeded(
  host: LeaseHost,
  runDir: string,
  judged: readonly SeenLease[],
): Promise<Created | null> {
  const { disk, process } = host;
  const number = (judged.at(-1)?.number ?? 0) + 1;
  const file = await createLease(disk, runDir, number);
  if (file === null) return null;
  const lease: Lease = {
    host: process.hostName,
    pid: process.pid,
    startedAt: process.startedAt,
    place: process.place,
    token: process.randomId(),
    renewals: 0,
  };
  try {
    await writeLease(file, lease);
    const others = (await seenLeases(host, runDir)).filter((seen) => seen.number !== number);
    const unchanged =
      others.length === judged.length && others.every(({ text }, i) => text === judged[i]?.text);
    if (unchanged) {
      // If the owners of these files wake up, they find from now on that they have lost the folder.
      for (const old of others) await removeLease(disk, runDir, old.number);
      return { number, file, lease };
    }
  } catch (error) {
    await file.close();
    await removeLease(disk, runDir, number);
    throw error;
  }
  await file.close();
  await removeLease(disk, runDir, number);
  return null;
}
