/** Disks without space: a run waits or goes on, leaves nothing half-written, and ends with the clean run's weights. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cli, logLines, startCli, type CliRun } from './cli-run.js';
import { fillDisk, makeRoom, mountSmallDisk } from '../small-disk.js';
import { ElasticRuns } from './elastic-runs.js';

const runs = new ElasticRuns();
const DISK_BYTES = 24 * 2 ** 20;

/** A small file system at the place of a run folder. */
function runDisk(t: TestContext, name: string): string | null {
  return mountSmallDisk(t, runs.runDir(name), DISK_BYTES);
}

/** Fills a disk, also again with what a checkpoint that could not be finished has given back. */
async function journalWaits(run: CliRun, disk: string): Promise<void> {
  const timer = setInterval(() => fillDisk(disk, 0), 50);
  try {
    await run.seen(new RegExp(`no space left to write ${disk}/journal: waiting`));
  } finally {
    clearInterval(timer);
  }
}

const SAVING = ['--checkpoint-every-steps', '1', '--keep-last', '2', '--epochs', '8'];

test('without space for a checkpoint training goes on, without any at all it waits for it', async (t) => {
  const disk = runDisk(t, 'waits');
  if (disk === null) return;
  const { coordinator, workers } = await runs.startByHand('waits', 2, ...SAVING);
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

test('a run that is stopped while its disk is full says so, and is resumed from a whole checkpoint', async (t) => {
  const disk = runDisk(t, 'stopped');
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

test('a folder without any space is refused with its path and the remedy', async (t) => {
  const disk = runDisk(t, 'none');
  if (disk === null) return;
  fillDisk(disk, 0);
  const { code, stderr } = await cli('train', ...runs.argumentsOf('none', '--workers', '1'));
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`_WRITE_FAILED.*${disk}/.*ENOSPC.*make room on that disk`, 's'));
  assert.ok(!stderr.includes('    at '), 'no stack is shown');
});

test('processes whose own output goes to a full disk train all the same', async () => {
  const toFull = ['bash', '-c', 'exec "$@" 2>/dev/full', 'bash'];
  const { code, stdout } = await startCli(
    ['train', ...runs.argumentsOf('mute', '--workers', '1')],
    {},
    toFull,
  ).done;
  assert.equal(code, 0);
  runs.assertSameRun('mute', stdout);

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
