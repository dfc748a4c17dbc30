/** A stop while the disk is full, and a worker whose own output goes to one. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli, logLines, startCli } from '../end-to-end/cli-run.js';
import { ElasticRuns } from '../end-to-end/elastic-runs.js';
import { journalWaits, runDisk } from '../end-to-end/run-disk.js';
import { makeRoom } from '../small-disk.js';
import { LONG_RUN } from './long-run.js';

const runs = new ElasticRuns(LONG_RUN);
const SAVING = ['--checkpoint-every-steps', '1', '--keep-last', '2'];

test('a run that is stopped while its disk is full says so, and is resumed from a whole checkpoint', async (t) => {
  const disk = runDisk(t, runs, 'stopped');
  if (disk === null) return;
  const args = ['train', ...runs.argumentsOf('stopped', '--workers', '2', ...SAVING)];
  const run = startCli(args);
  await run.seen(/epoch 2 /);
  await journalWaits(run, disk);
  run.child.kill('SIGTERM');
  const { code, stderr } = await run.done;
  assert.notEqual(code, 0);
  assert.match(
    stderr,
    new RegExp(`(JOURNAL|CHECKPOINT)_WRITE_FAILED.*${disk}/.*ENOSPC.*make room on that disk`, 's'),
  );
  assert.ok(!stderr.includes('    at '), 'no stack is shown');
  const left = readdirSync(join(disk, 'checkpoints'));
  assert.ok(left.length > 0 && left.every((name) => /^step-\d{8}$/.test(name)), left.join(' '));
  makeRoom(disk);
  const resumed = await cli(...args, '--resume');
  assert.equal(resumed.code, 0, resumed.stderr);
  runs.assertSameWeights(resumed.stdout);
});

test('a worker whose own output goes to a full disk trains all the same', async () => {
  const toFull = ['bash', '-c', 'exec "$@" 2>/dev/full', 'bash'];
  const args = ['coordinator', ...runs.argumentsOf('mute-worker', '--workers', '1')];
  const coordinator = startCli(args);
  const address = (await coordinator.seen(/tcp:\/\/127\.0\.0\.1:\d+/)).trim();
  const worker = startCli(['worker', '--coordinator', address, '--log-level', 'debug'], {}, toFull);
  const ended = await coordinator.done;
  assert.equal(ended.code, 0, ended.stderr);
  runs.assertSameRun('mute-worker', ended.stdout);
  assert.equal((await worker.done).code, 0);
  assert.ok(logLines(runs.runDir('mute-worker'), 'step').length > 0);
});
