/** A journal on a disk that runs full: every line is whole or not there, and a commit waits. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { nodeDisk } from '../../../src/host/disk.js';
import { systemHost } from '../../../src/host/host.js';
import { Journal } from '../../../src/run/journal/journal.js';
import { readJournal } from '../../../src/run/journal/journal-file.js';
import { initialRunState } from '../../../src/run/journal/run-state.js';
import { RunLog } from '../../../src/coordinator/watch/run-log.js';
import { systemClock } from '../../../src/host/clock.js';
import { openWith } from '../../simulation/journal-start.js';
import { NO_WAIT } from '../../coordinator/run-fixture.js';
import { fillDisk, makeRoom, mountSmallDisk } from '../../small-disk.js';

/** A folder that nobody else has. */
const FREE = { clock: systemClock, check: async () => Promise.resolve() };

const state = (step: number) => ({ ...initialRunState(200), step });
const OPEN = openWith(state(0));

function disk(t: TestContext): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-test-'));
  const mounted = mountSmallDisk(t, join(folder, 'disk'), 2 ** 20);
  // After it has been unmounted.
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return mounted;
}

test('commits wait for space, events that come meanwhile are left out, and the journal stays whole', async (t) => {
  const path = disk(t);
  if (path === null) return;
  let onFull: (() => void) | null = null;
  const wait = Object.assign({ onFull: () => onFull?.(), interrupted: () => false }, FREE);
  const journal = await Journal.begin(systemHost, path, OPEN, null, wait);
  await journal.commit(state(1), 1, 'd1', [0]);
  fillDisk(path, 0);
  // Of what still fits into the last page a part would be written.
  for (let i = 0; i < 100; i++) journal.event('note', null, `event ${i} ${'x'.repeat(100)}`);
  const full = new Promise<void>((resolve) => (onFull = resolve));
  const committing = journal.commit(state(2), 2, 'd2', [0]);
  await full;
  const meanwhile = await readJournal(nodeDisk, path);
  assert.equal(meanwhile?.state.step, 1);
  makeRoom(path);
  await committing;
  await journal.commit(state(3), 3, 'd3', [0]);
  await journal.close();
  const content = await readJournal(nodeDisk, path);
  assert.deepEqual(content?.lastCommit, { generation: 3, digest: 'd3', ring: [0] });
  assert.ok(content.events.length < 100);
  assert.deepEqual(readdirSync(path), ['journal']);
});

test('a commit that a person does not want to wait for fails with the path, and what was committed stays', async (t) => {
  const path = disk(t);
  if (path === null) return;
  const journal = await Journal.begin(systemHost, path, OPEN, null, NO_WAIT);
  await journal.commit(state(1), 1, 'd1', [0]);
  fillDisk(path, 0);
  const commits = async (): Promise<void> => {
    for (let step = 2; step < 20; step++) await journal.commit(state(step), step, `d${step}`, [0]);
  };
  await assert.rejects(commits, new RegExp(`JOURNAL_WRITE_FAILED: .*${path}/journal.*ENOSPC`));
  // A checkpoint's rewriting needs room for a whole new one: the old one stays.
  await assert.rejects(journal.checkpoint(1, 'p', 'w'), /JOURNAL_WRITE_FAILED/);
  await journal.close();
  assert.ok((await readJournal(nodeDisk, path))!.state.step >= 1);
  assert.deepEqual(readdirSync(path).sort(), ['ballast', 'journal']);
  const again = Journal.begin(systemHost, path, OPEN, null, NO_WAIT);
  await assert.rejects(again, /JOURNAL_WRITE_FAILED/);
});

test('if a part of a line cannot be cut off, the error stays the same, and it is cut off before the next line', async (t) => {
  const path = disk(t);
  if (path === null) return;
  let onFull: (() => void) | null = null;
  const journal = await Journal.begin(
    systemHost,
    path,
    OPEN,
    null,
    Object.assign({ onFull: () => onFull?.(), interrupted: () => false }, FREE),
  );
  await journal.commit(state(1), 1, 'd1', [0]);
  const attribute = (change: string): boolean =>
    spawnSync('chattr', [change, join(path, 'journal')]).status === 0;
  // From now on it can be appended to and not be cut.
  if (!attribute('+a')) {
    await journal.close();
    t.skip('it needs a file system with append-only files');
    return;
  }
  fillDisk(path, 0);
  const full = new Promise<void>((resolve) => (onFull = resolve));
  // More than what still fits into the last page.
  const committing = journal.commit(state(2), 2, 'd2'.repeat(5000), [0]);
  await Promise.race([full, committing]);
  attribute('-a');
  makeRoom(path);
  await committing;
  await journal.commit(state(3), 3, 'd3', [0]);
  await journal.close();
  assert.equal((await readJournal(nodeDisk, path))?.state.step, 3);
});

test('lines of the run log that have no space are left out, counted, and the others are whole', async (t) => {
  const path = disk(t);
  if (path === null) return;
  const log = await RunLog.open(systemHost, path, async () => Promise.resolve(true));
  log.onClusterEvent({ text: 'before' });
  await log.written();
  fillDisk(path, 0);
  for (let i = 0; i < 100; i++) log.onClusterEvent({ text: 'x'.repeat(100) });
  await log.written();
  makeRoom(path);
  log.onClusterEvent({ text: 'after' });
  await log.close();
  const lines = readFileSync(join(path, 'metrics.jsonl'), 'utf8').trim().split('\n');
  const parsed = lines.map((line) => JSON.parse(line) as { type: string; text?: string; missing?: number });
  const gap = parsed.at(-2)!;
  assert.equal(gap.type, 'gap');
  assert.equal(parsed.length - 3 + gap.missing!, 100);
  assert.deepEqual([parsed[0]!.text, parsed.at(-1)!.text], ['before', 'after']);
});
