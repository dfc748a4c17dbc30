/** Disks without space: a run waits or goes on, leaves nothing half-written, and ends with the clean run's weights. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fillDisk, makeRoom } from '../small-disk.js';
import { cli, slowSteps, startCli } from './cli-run.js';
import { ElasticRuns } from './elastic-runs.js';
import { journalWaits, runDisk } from './run-disk.js';

const runs = new ElasticRuns();

const SAVING = ['--checkpoint-every-steps', '1', '--keep-last', '2'];

test('without space for a checkpoint training goes on, without any at all it waits for it', async (t) => {
  const disk = runDisk(t, runs, 'waits');
  if (disk === null) return;
  const { coordinator, workers } = await runs.startByHand('waits', {
    workers: [slowSteps(4, 8)],
    flags: SAVING,
  });
  await coordinator.seen(/epoch 1 /);
  fillDisk(disk, 400_000);
  const skipped = await coordinator.seen(/CHECKPOINT_WRITE_FAILED: .*training goes on without it/);
  assert.match(skipped, new RegExp(`${disk}/checkpoints/.*ENOSPC.*check free space`));
  await journalWaits(coordinator, disk);
  makeRoom(disk);
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('waits', stdout);
  for (const worker of workers) assert.equal((await worker.done).code, 0);
  const left = readdirSync(join(disk, 'checkpoints'));
  assert.ok(left.length > 0 && left.every((name) => /^step-\d{8}$/.test(name)), left.join(' '));
  assert.ok(runs.clusterLines('waits').some(({ kind }) => kind === 'disk-full'));
});

test('a folder without any space is refused with its path and the remedy', async (t) => {
  const disk = runDisk(t, runs, 'none');
  if (disk === null) return;
  fillDisk(disk, 0);
  const { code, stderr } = await cli('train', ...runs.argumentsOf('none', '--workers', '1'));
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`_WRITE_FAILED.*${disk}/.*ENOSPC.*make room on that disk`, 's'));
  assert.ok(!stderr.includes('    at '), 'no stack is shown');
});

test('a run whose own output goes to a full disk trains all the same', async () => {
  const toFull = ['bash', '-c', 'exec "$@" 2>/dev/full', 'bash'];
  const { code, stdout } = await startCli(
    ['train', ...runs.argumentsOf('mute', '--workers', '1')],
    {},
    toFull,
  ).done;
  assert.equal(code, 0);
  runs.assertSameRun('mute', stdout);
});
