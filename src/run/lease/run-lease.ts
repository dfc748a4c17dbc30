/** One coordinator a run folder: a lease that its owner renews while it lives, and that others take when it has lapsed. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, rmdirSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { coded, reasonOf, VitrailError } from '../../errors/errors.js';
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
import { processPlace, processStart } from '../../host/process-place.js';

export interface TakeOptions {
  /** Told once of an owner that has to be watched, and for how long at most. */
  readonly onWatch: (owner: string, forMs: number) => void;
  /** A reason ends the watching. */
  readonly stopRequested: () => string | null;
  readonly timing?: LeaseTiming;
}

const LOOK_MS = 200;
/** Others may take a lease and give it back between two looks, not for ever. */
const MOST_LAPSES = 4;

export class RunLease {
  readonly #runDir: string;
  readonly #number: number;
  readonly #file: FileHandle;
  readonly #madeFolder: boolean;
  readonly #timer: NodeJS.Timeout;
  #lease: Lease;
  #renewing: Promise<void> | null = null;
  #onLost: (error: VitrailError) => void = () => undefined;

  private constructor(created: Created, runDir: string, madeFolder: boolean, { renewMs }: LeaseTiming) {
    this.#runDir = runDir;
    this.#number = created.number;
    this.#file = created.file;
    this.#lease = created.lease;
    this.#madeFolder = madeFolder;
    this.#timer = setInterval(() => this.#renew(), renewMs);
  }

  /**
   * Takes the folder, which is made where it is missing. A lease whose process was killed in this place is taken over
   * at once, any other when it has lapsed.
   * @throws RUN_LOCKED, RUN_WRITE_FAILED
   */
  static async take(runDir: string, options: TakeOptions): Promise<RunLease> {
    const timing = options.timing ?? LEASE_TIMING;
    try {
      const madeFolder = mkdirSync(runDir, { recursive: true }) !== undefined;
      const created = await taken(runDir, options, timing);
      return new RunLease(created, runDir, madeFolder, timing);
    } catch (error) {
      if (error instanceof VitrailError) throw error;
      throw coded('RUN_WRITE_FAILED', { path: leasePath(runDir, 1), reason: reasonOf(error) });
    }
  }

  /** Whether the folder still belongs to this process. To be asked before anything is written to it. */
  get held(): boolean {
    const text = leaseText(this.#runDir, this.#number);
    return text !== null && (parsedLease(text)?.token ?? this.#lease.token) === this.#lease.token;
  }

  /** @throws RUN_TAKEN_OVER, RUN_WRITE_FAILED where that cannot be told */
  check(): void {
    let held: boolean;
    try {
      held = this.held;
    } catch (error) {
      const path = leasePath(this.#runDir, this.#number);
      throw coded('RUN_WRITE_FAILED', { path, reason: reasonOf(error) });
    }
    if (!held) throw coded('RUN_TAKEN_OVER', { path: this.#runDir, owner: this.#successor() });
  }

  /** `listener` is told once the folder is found to belong to another. */
  onLost(listener: (error: VitrailError) => void): void {
    this.#onLost = listener;
  }

  /** Gives the folder back, and removes it where it was made for this lease and nothing else came into it. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    try {
      await this.#renewing;
      await this.#file.close();
      if (this.held) removeLease(this.#runDir, this.#number);
      if (this.#madeFolder) rmdirSync(this.#runDir);
    } catch {
      // The folder holds a run now, or it has become unreadable: the lease lapses.
    }
  }

  #successor(): string {
    const leases = seenLeases(this.#runDir, '').filter(({ text }) => parsedLease(text) !== null);
    return leases.at(-1)?.owner ?? 'another process, which has left it again';
  }

  #renew(): void {
    try {
      this.check();
    } catch (error) {
      if (error instanceof VitrailError && error.code === 'RUN_TAKEN_OVER') {
        clearInterval(this.#timer);
        this.#onLost(error);
      }
      return;
    }
    // A renewal that fails (a full disk, a server of files that is away) is made up for by the next.
    this.#renewing ??= this.#write()
      .catch(() => undefined)
      .then(() => {
        this.#renewing = null;
      });
  }

  async #write(): Promise<void> {
    this.#lease = Object.assign({}, this.#lease, { renewals: this.#lease.renewals + 1 });
    await writeLease(this.#file, this.#lease);
  }
}

interface Created {
  readonly number: number;
  readonly file: FileHandle;
  readonly lease: Lease;
}

/** Always at the beginning: the text never becomes shorter. Synced, so that other machines see it. */
async function writeLease(file: FileHandle, lease: Lease): Promise<void> {
  await file.write(JSON.stringify(lease), 0);
  await file.datasync();
}

function lockedBy(runDir: string, owner: string, reason: string, { lapseMs }: LeaseTiming): VitrailError {
  return coded('RUN_LOCKED', { path: runDir, owner, reason, seconds: lapseMs / 1000 });
}

async function taken(runDir: string, options: TakeOptions, timing: LeaseTiming): Promise<Created> {
  const here = processPlace();
  const beganMs = performance.now();
  let known: readonly WatchedLease[] = [];
  let told = false;
  for (;;) {
    const nowMs = performance.now();
    known = watched(known, seenLeases(runDir, here), nowMs);
    const verdict: LeaseVerdict = leaseVerdict(known, nowMs, timing);
    if (verdict.kind === 'held') throw lockedBy(runDir, verdict.owner, verdict.reason, timing);
    const created = verdict.kind === 'free' ? await succeeded(runDir, known, here) : null;
    if (created !== null) return created;
    const owner = verdict.kind === 'watch' ? verdict.owner : 'one process after the other';
    if (verdict.kind === 'watch' && !told) options.onWatch(owner, verdict.forMs);
    told ||= verdict.kind === 'watch';
    const stop = options.stopRequested();
    if (stop !== null) throw lockedBy(runDir, owner, `${stop} before its lease had lapsed`, timing);
    if (nowMs - beganMs > timing.lapseMs * MOST_LAPSES) {
      throw lockedBy(runDir, owner, 'others take it again and again', timing);
    }
    await delay(Math.min(LOOK_MS, timing.lapseMs / 10));
  }
}

/** Makes the next lease, if those that were judged are all there is, and as they were. */
async function succeeded(
  runDir: string,
  judged: readonly SeenLease[],
  here: string,
): Promise<Created | null> {
  const number = (judged.at(-1)?.number ?? 0) + 1;
  const file = await createLease(runDir, number);
  if (file === null) return null;
  const lease: Lease = {
    host: hostname(),
    pid: process.pid,
    startedAt: processStart(process.pid),
    place: here,
    token: randomUUID(),
    renewals: 0,
  };
  try {
    await writeLease(file, lease);
    const others = seenLeases(runDir, here).filter((seen) => seen.number !== number);
    const unchanged =
      others.length === judged.length && others.every(({ text }, i) => text === judged[i]?.text);
    if (unchanged) {
      // From here on their owners, should they wake up, find that they have lost the folder.
      for (const old of others) removeLease(runDir, old.number);
      return { number, file, lease };
    }
  } catch (error) {
    await file.close();
    removeLease(runDir, number);
    throw error;
  }
  await file.close();
  removeLease(runDir, number);
  return null;
}
