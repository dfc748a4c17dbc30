/** The promise: the same weights bit for bit on any number of workers. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli, logLines, startCli } from './cli-run.js';
import { TrainedRuns, type Summary } from './trained-runs.js';

let reference = '';

const runs = new TrainedRuns(async () => {
  const summary = await runs.trained('one', '--workers', '1');
  assert.ok(summary.steps >= 16, `${summary.steps} steps are too few to prove anything`);
  reference = summary.weightDigest;
  assert.match(reference, /^[0-9a-f]{64}$/);
});

test('two and three workers end with the same weights as one', async () => {
  for (const workers of ['2', '3']) {
    assert.equal((await runs.trained(`workers-${workers}`, '--workers', workers)).weightDigest, reference);
  }
});

test('another seed ends with other weights', async () => {
  assert.notEqual(
    (await runs.trained('other-seed', '--seed', '8', '--workers', '1')).weightDigest,
    reference,
  );
});

test('sums and updates in TypeScript end with the same weights as by native kernels', async (t) => {
  const flags = ['--backend', 'wasm', '--steps', '4'];
  const { weightDigest } = await runs.trained('kernels', ...flags, '--workers', '1');
  process.env['VITRAIL_NATIVE'] = join(runs.folder.path, 'none.node');
  t.after(() => delete process.env['VITRAIL_NATIVE']);
  assert.equal((await runs.trained('no-kernels', ...flags, '--workers', '2')).weightDigest, weightDigest);
});

test('workers started by hand, ipc sockets, no cache and recomputed activations change no bit; a worker without the files is refused', async () => {
  const ways = ['--ring-transport', 'ipc', '--cache-bytes', '0', '--recompute'];
  const args = runs.argumentsOf('by-hand', '--workers', '2', ...ways);
  const coordinator = startCli(['coordinator', ...args]);
  const address = (await coordinator.seen(/tcp:\/\/127\.0\.0\.1:\d+/)).trim();
  const empty = join(runs.folder.path, 'empty');
  mkdirSync(empty);
  const wrong = await cli('worker', '--coordinator', address, '--data', empty);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /DATA_MANIFEST_MISMATCH.*is missing/s);

  const workers = [
    cli('worker', '--coordinator', address),
    cli('worker', '--coordinator', address, '--data', runs.data),
  ];
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as Summary).weightDigest, reference);
  for (const worker of await Promise.all(workers)) assert.equal(worker.code, 0, worker.stderr);
});

test('`vitrail digest` prints the digest that the run ended with', async () => {
  const { stdout, code } = await cli('digest', runs.runDir('one'), '--json');
  assert.equal(code, 0);
  assert.equal((JSON.parse(stdout) as { sha256: string }).sha256, reference);
  const last = logLines(runs.runDir('one'), 'checkpoint').at(-1) as { path: string };
  assert.equal((await cli('digest', last.path)).stdout.split(' ')[0], reference);
});
