/** `runStatus` and `coordinatorStatus`: what a run is doing. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { RunStatus } from '../coordinator/watch/run-pages.js';
import { coded } from '../errors/errors.js';
import { systemClock } from '../host/clock.js';
import { nodeDisk } from '../host/disk.js';
import { thisProcess } from '../host/process.js';
import { whereabouts } from '../host/whereabouts.js';
import { JOURNAL_FILE, readJournal } from '../run/journal/journal-file.js';
import type { JournalContent } from '../run/journal/journal-format.js';
import { leaseSign } from '../run/lease/lease-sign.js';
import { runVerdict, type RunSeen, type RunVerdict } from './watching/run-verdict.js';
import { isSamePlace, statusAddress } from './watching/status-address.js';
import { askStatus } from './watching/status-page.js';

export type { RunStatus };

export interface StatusOptions {
  /** Called with what the user should know while it waits. */
  readonly onNote?: (text: string) => void;
  /** Ends the wait for a sign of the coordinator: the state may then be `unknown`. */
  readonly signal?: AbortSignal | undefined;
}

/** What the run folder's journal says. */
export interface StoredStatus {
  /** Committed steps. */
  readonly step: number;
  /** How the run ended; null: it did not end, or goes on. */
  readonly end: { readonly reason: string; readonly clean: boolean } | null;
  /** The newest checkpoint, null for none. */
  readonly checkpoint: { readonly step: number; readonly path: string } | null;
  /** The last ones, oldest first. */
  readonly events: readonly { readonly time: string; readonly text: string }[];
}

export interface RunReport extends RunVerdict {
  /** What its coordinator answers; null if there is no answer. */
  readonly live: RunStatus | null;
  readonly stored: StoredStatus;
  /** The coordinator that wrote the journal; `number` counts the starts of the run. */
  readonly coordinator: { readonly number: number; readonly host: string; readonly time: string };
}

const SHOWN_EVENTS = 10;

interface Seen {
  readonly live: RunStatus | null;
  readonly verdict: RunVerdict;
}

/** If the page does not tell whether the run still runs, the lease of its folder does, within half a minute. */
async function withLease(
  runDir: string,
  seen: RunSeen,
  { onNote, signal }: StatusOptions,
): Promise<RunVerdict> {
  const verdict = runVerdict(seen);
  if (verdict.state !== 'unknown') return verdict;
  const host = { clock: systemClock, disk: nodeDisk, process: thisProcess };
  const lease = await leaseSign(host, runDir, {
    onWatch: (owner, forMs) => {
      const seconds = Math.round(forMs / 1000);
      onNote?.(`watching for up to ${seconds} s whether ${owner} renews its lease of ${runDir}`);
    },
    givenUp: () => signal?.aborted === true,
  });
  return runVerdict(Object.assign({}, seen, { lease }));
}

/** The answer of the coordinator that a journal names, or why it does not answer. */
async function look(runDir: string, { open, end }: JournalContent, options: StatusOptions): Promise<Seen> {
  const here = whereabouts();
  const fromItsPlace = isSamePlace(open, here);
  const journalAgeMs = Date.now() - statSync(join(runDir, JOURNAL_FILE)).mtimeMs;
  const seen = {
    end: end?.reason ?? null,
    silence: null,
    gone: false,
    fromItsPlace,
    journalAgeMs,
    lease: null,
  };
  if (end !== null) return { live: null, verdict: runVerdict(seen) };
  const address = statusAddress(open, here);
  if (address === null) {
    const silence = `its page at ${open.httpAddress} answers on its own machine, ${open.host}, only (--http-listen)`;
    return { live: null, verdict: await withLease(runDir, Object.assign({}, seen, { silence }), options) };
  }
  const answer = await askStatus(address);
  if (answer.kind === 'silent') {
    const unanswered = Object.assign({}, seen, { silence: answer.reason, gone: answer.gone });
    return { live: null, verdict: await withLease(runDir, unanswered, options) };
  }
  const { host, pid, time } = answer.status.coordinator;
  if (host !== open.host || pid !== open.pid || time !== open.time) {
    const silence = `another run, ${answer.status.run}, answers at ${address}`;
    return { live: null, verdict: runVerdict({ ...seen, silence, gone: true }) };
  }
  return { live: answer.status, verdict: runVerdict(seen) };
}

/**
 * What the run in `runDir` is doing: from its coordinator, or from its journal if that is gone.
 * @throws VitrailError: RUN_NOT_FOUND, JOURNAL_DAMAGED
 */
export async function runStatus(runDir: string, options: StatusOptions = {}): Promise<RunReport> {
  const journal = await readJournal(nodeDisk, runDir);
  if (journal === null) throw coded('RUN_NOT_FOUND', { path: runDir });
  const { open, end, state, checkpoint, events } = journal;
  const { live, verdict } = await look(runDir, journal, options);
  const stored = { step: state.step, end, checkpoint, events: events.slice(-SHOWN_EVENTS) };
  const coordinator = { number: open.incarnation, host: open.host, time: open.time };
  return { ...verdict, live, stored, coordinator };
}

/**
 * What the coordinator at `address` says of its run, without the run folder.
 * @param address HOST:PORT, or its URL: where the coordinator's `httpListen` is
 * @throws VitrailError: STATUS_UNANSWERED
 */
export async function coordinatorStatus(address: string): Promise<RunStatus> {
  const plain = address.replace(/^http:\/\//, '').replace(/\/$/, '');
  if (!/^(?:[^\s:/[\]]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/.test(plain)) {
    throw coded('STATUS_UNANSWERED', { reason: `${address} is not HOST:PORT` });
  }
  const answer = await askStatus(plain);
  if (answer.kind === 'silent') throw coded('STATUS_UNANSWERED', { reason: answer.reason });
  return answer.status;
}
