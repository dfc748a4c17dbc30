/** `vitrail status`: shows what a run is doing, from its coordinator, or from its journal if that is gone. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { coordinatorStatus, runStatus, type RunReport, type RunStatus } from '../../api/run-status.js';
import { verdictText } from '../../api/watching/run-verdict.js';
import { coded } from '../../errors/errors.js';
import { counted } from '../../errors/wording.js';
import { runCommand } from '../run-command.js';

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

function journalText(runDir: string, report: RunReport): string {
  const { stored, coordinator } = report;
  const { step, checkpoint, events } = stored;
  const saved = checkpoint === null ? 'no checkpoint' : `newest checkpoint at step ${checkpoint.step}`;
  const since = `coordinator number ${coordinator.number} of this run, started ${coordinator.time} on ${coordinator.host}`;
  return `${runDir}: ${verdictText(report)}\n${counted(step, 'step')} committed, ${saved}\n${since}\nlast events:\n${eventLines(events)}`;
}

interface StatusFlags {
  readonly json?: boolean;
  readonly coordinator?: string;
}

async function statusOfFolder(runDir: string, json: boolean): Promise<void> {
  const report = await runStatus(runDir, { onNote: (text) => void process.stderr.write(`${text}\n`) });
  const { state, reason, live, stored } = report;
  if (json) process.stdout.write(`${JSON.stringify({ state, reason, live, stored }, null, 2)}\n`);
  else process.stdout.write(live === null ? journalText(runDir, report) : liveText(live));
}

async function statusOfAddress(address: string, json: boolean): Promise<void> {
  const live = await coordinatorStatus(address);
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
