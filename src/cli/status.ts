/** `vitrail status`: what a run is doing, from its coordinator, or from its journal where that is gone. */
import { hostname } from 'node:os';
import Table from 'cli-table3';
import type { Command } from 'commander';
import type { JournalContent } from '../coordinator/journal-format.js';
import { readJournal } from '../coordinator/journal.js';
import type { RunStatus } from '../coordinator/run-pages.js';
import { coded } from '../shared/errors.js';
import { runCommand } from './run-command.js';
import { statusAddress } from './status-address.js';

const ANSWER_TIMEOUT_MS = 2000;
const SHOWN_EVENTS = 10;

/** What the coordinator says, null where none answers. */
async function liveStatus(open: JournalContent['open']): Promise<RunStatus | null> {
  const address = statusAddress(open, hostname());
  if (address === null) return null;
  try {
    const answer = await fetch(`http://${address}/status`, {
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    return answer.ok ? ((await answer.json()) as RunStatus) : null;
  } catch {
    return null;
  }
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
  const head = `${run}: ${step} steps committed, generation ${generation ?? 'none'}, ${members.length} workers`;
  return `${head}\n${membersTable(members)}\nlast events:\n${eventLines(events)}`;
}

function journalText(runDir: string, { open, state, end, events, checkpoint }: JournalContent): string {
  const how =
    end === null ? `interrupted, or its coordinator on ${open.host} does not answer` : `ended: ${end.reason}`;
  const saved = checkpoint === null ? 'no checkpoint' : `newest checkpoint at step ${checkpoint.step}`;
  const since = `coordinator number ${open.incarnation} of this run, started ${open.time}`;
  return `${runDir}: ${how}\n${state.step} steps committed, ${saved}\n${since}\nlast events:\n${eventLines(events.slice(-SHOWN_EVENTS))}`;
}

async function statusAction(runDir: string, json: boolean): Promise<void> {
  const journal = await readJournal(runDir);
  if (journal === null) throw coded('RUN_NOT_FOUND', { path: runDir });
  const { end, open, state, checkpoint } = journal;
  const live = end === null ? await liveStatus(open) : null;
  if (json) {
    const stored = { step: state.step, end, checkpoint, events: journal.events.slice(-SHOWN_EVENTS) };
    process.stdout.write(`${JSON.stringify({ live, stored }, null, 2)}\n`);
  } else {
    process.stdout.write(live === null ? journalText(runDir, journal) : liveText(live));
  }
}

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('what a run is doing: its workers, step, speeds and last events')
    .argument('<run>', 'the run folder')
    .option('--json', 'print it as JSON')
    .action(async (run: string, flags: { readonly json?: boolean }) =>
      runCommand(async () => statusAction(run, flags.json === true)),
    );
}
