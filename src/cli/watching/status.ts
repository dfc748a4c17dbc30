/** `vitrail status`: shows what a run is doing, from its coordinator, or from its journal if that is gone. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { JournalContent } from '../../run/journal/journal-format.js';
import { JOURNAL_FILE, readJournal } from '../../run/journal/journal-file.js';
import type { RunStatus } from '../../coordinator/watch/run-pages.js';
import { leaseSign } from '../../run/lease/lease-sign.js';
import { nodeDisk } from '../../host/disk.js';
import { systemHost } from '../../host/host.js';
import { whereabouts } from '../../host/whereabouts.js';
import { coded } from '../../errors/errors.js';
import { runCommand } from '../run-command.js';
import { runVerdict, verdictText, type RunSeen, type RunVerdict } from '../training/run-verdict.js';
import { isSamePlace, statusAddress } from './status-address.js';
import { askStatus } from './status-page.js';
import { counted } from '../../errors/wording.js';

const SHOWN_EVENTS = 10;

interface Seen {
  readonly live: RunStatus | null;
  readonly verdict: RunVerdict;
}

/**
 * If the page does not tell whether the run still runs, the lease of its folder does, within half a minute.
 */
async function withLease(runDir: string, seen: RunSeen): Promise<RunVerdict> {
  const verdict = runVerdict(seen);
  if (verdict.state !== 'unknown') return verdict;
  const lease = await leaseSign(systemHost, runDir, (owner, forMs) => {
    const seconds = Math.round(forMs / 1000);
    process.stderr.write(`watching for up to ${seconds} s whether ${owner} renews its lease of ${runDir}\n`);
  });
  return runVerdict(Object.assign({}, seen, { lease }));
}

/** The answer of the coordinator that a journal names, or why it does not answer. */
async function look(runDir: string, { open, end }: JournalContent): Promise<Seen> {
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
    return { live: null, verdict: await withLease(runDir, Object.assign({}, seen, { silence })) };
  }
  const answer = await askStatus(address);
  if (answer.kind === 'silent') {
    const unanswered = Object.assign({}, seen, { silence: answer.reason, gone: answer.gone });
    return { live: null, verdict: await withLease(runDir, unanswered) };
  }
  const { host, pid, time } = answer.status.coordinator;
  if (host !== open.host || pid !== open.pid || time !== open.time) {
    const silence = `another run, ${answer.status.run}, answers at ${address}`;
    return { live: null, verdict: runVerdict({ ...seen, silence, gone: true }) };
  }
  return { live: answer.status, verdict: runVerdict(seen) };
}

function membersTable(members: RunStatus['members']): string {
  const table = new Table({
    style: { head: [], border: [] },
    head: ['worker', 'in metrics', 'host', 'pid', 'phase', 'step', 'micro-batches/s', ''],
  });
  for (const m of members) {
    const notes = [m.suspected ? 'silent' : '', m.leaving ? 'leaving' : '', m.hasState ? '' : 'no state yet'];
    const speed = m.speed?.toFixed(1) ?? '';
    table.push([
      m.worker,
      m.place,
      m.host,
      m.pid,
      m.phase,
      m.step,
      speed,
      notes.filter((note) => note !== '').join(', '),
    ]);
  }
  return table.toString();
}

function eventLines(events: readonly { readonly time: string; readonly text: string }[]): string {
  return events.map(({ time, text }) => `  ${time.slice(11, 19)}  ${text}\n`).join('');
}

function liveText({ run, step, generation, members, events }: RunStatus): string {
  const head = `${run}: ${counted(step, 'step')} committed, generation ${generation ?? 'none'}, ${counted(members.length, 'worker')}`;
  return `${head}\n${membersTable(members)}\nlast events:\n${eventLines(events)}`;
}

function journalText(
  runDir: string,
  { open, state, events, checkpoint }: JournalContent,
  verdict: RunVerdict,
): string {
  const saved = checkpoint === null ? 'no checkpoint' : `newest checkpoint at step ${checkpoint.step}`;
  const since = `coordinator number ${open.incarnation} of this run, started ${open.time} on ${open.host}`;
  return `${runDir}: ${verdictText(verdict)}\n${counted(state.step, 'step')} committed, ${saved}\n${since}\nlast events:\n${eventLines(events.slice(-SHOWN_EVENTS))}`;
}

interface StatusFlags {
  readonly json?: boolean;
  readonly coordinator?: string;
}

async function statusOfFolder(runDir: string, json: boolean): Promise<void> {
  const journal = await readJournal(nodeDisk, runDir);
  if (journal === null) throw coded('RUN_NOT_FOUND', { path: runDir });
  const { end, state, checkpoint } = journal;
  const { live, verdict } = await look(runDir, journal);
  if (json) {
    const stored = { step: state.step, end, checkpoint, events: journal.events.slice(-SHOWN_EVENTS) };
    process.stdout.write(`${JSON.stringify({ ...verdict, live, stored }, null, 2)}\n`);
  } else {
    process.stdout.write(live === null ? journalText(runDir, journal, verdict) : liveText(live));
  }
}

async function statusOfAddress(given: string, json: boolean): Promise<void> {
  const address = given.replace(/^http:\/\//, '').replace(/\/$/, '');
  if (!/^(?:[^\s:/[\]]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/.test(address)) {
    throw coded('STATUS_UNANSWERED', { reason: `${given} is not HOST:PORT` });
  }
  const answer = await askStatus(address);
  if (answer.kind === 'silent') throw coded('STATUS_UNANSWERED', { reason: answer.reason });
  const { status: live } = answer;
  process.stdout.write(json ? `${JSON.stringify({ state: 'running', live }, null, 2)}\n` : liveText(live));
}

async function statusAction(run: string | undefined, flags: StatusFlags): Promise<void> {
  const json = flags.json === true;
  if (flags.coordinator !== undefined) return statusOfAddress(flags.coordinator, json);
  if (run === undefined)
    throw coded('CONFIG_MISSING', { key: 'run', expected: 'a run folder, or give --coordinator' });
  return statusOfFolder(run, json);
}

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('what a run is doing: its workers, step, speeds and last events')
    .argument('[run]', 'the run folder')
    .option(
      '--coordinator <host:port>',
      "ask there, without the run folder: where the coordinator's --http-listen is",
    )
    .option('--json', 'print it as JSON')
    .action(async (run: string | undefined, flags: StatusFlags) =>
      runCommand(async () => statusAction(run, flags)),
    );
}
