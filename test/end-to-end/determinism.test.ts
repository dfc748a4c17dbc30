/** The promise: the same weights bit for bit on any number of workers, straight through or resumed. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cli, logLines, SMALL_RUN, smallDataset, startCli, temporaryFolder } from './cli-run.js';

/** By the kernels that a user of this machine gets. Shorter than other files' runs: here there are most of them. */
const RUN = [...SMALL_RUN, '--backend', 'auto', '--epochs', '6'];

const folder = temporaryFolder();
let data = '';
let reference = '';

const runDir = (name: string): string => join(folder.path, name);

interface Summary {
  readonly weightDigest: string;
  readonly steps: number;
  readonly reason: string;
  readonly completed: boolean;
}

async function trained(name: string, ...flags: string[]): Promise<Summary> {
  const { code, stdout, stderr } = await cli(
    ...['train', '--data', data, '--out', runDir(name), '--json', ...RUN, ...flags],
  );
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Summary;
}

before(async () => {
  data = await smallDataset(folder.path);
  const summary = await trained('one', '--workers', '1');
  assert.ok(summary.steps >= 24, `${summary.steps} steps are too few to prove anything`);
  reference = summary.weightDigest;
  assert.match(reference, /^[0-9a-f]{64}$/);
});

after(() => folder.remove());

test('two and three workers end with the same weights as one', async () => {
  for (const workers of ['2', '3']) {
    assert.equal((await trained(`workers-${workers}`, '--workers', workers)).weightDigest, reference);
  }
});

test('another seed ends with other weights', async () => {
  assert.notEqual((await trained('other-seed', '--seed', '8', '--workers', '2')).weightDigest, reference);
});

test('sums and updates in TypeScript end with the same weights as by native kernels', async (t) => {
  const flags = ['--backend', 'wasm', '--workers', '2', '--steps', '8'];
  const { weightDigest } = await trained('kernels', ...flags);
  process.env['VITRAIL_NATIVE'] = join(folder.path, 'none.node');
  t.after(() => delete process.env['VITRAIL_NATIVE']);
  assert.equal((await trained('no-kernels', ...flags)).weightDigest, weightDigest);
});

test('ipc sockets, no cache and recomputed activations change no bit', async () => {
  const flags = ['--workers', '2', '--ring-transport', 'ipc', '--cache-bytes', '0', '--recompute'];
  assert.equal((await trained('other-ways', ...flags)).weightDigest, reference);
});

test('a run stopped with Ctrl-C and resumed on another number of workers ends with the same weights', async () => {
  const args = ['--data', data, '--out', runDir('resumed'), '--json', ...RUN];
  const run = startCli(['train', ...args, '--workers', '2']);
  await run.seen(/epoch 3 /);
  run.child.kill('SIGINT');
  const stopped = await run.done;
  assert.equal(stopped.code, 130, stopped.stderr);
  const first = JSON.parse(stopped.stdout) as Summary;
  assert.equal(first.reason, 'stopped by SIGINT');

  const again = await cli('train', '--resume', runDir('resumed'), '--workers', '3', '--json');
  assert.equal(again.code, 0, again.stderr);
  const resumed = JSON.parse(again.stdout) as Summary;
  assert.equal(resumed.weightDigest, reference);
  assert.ok(first.steps > 0 && first.steps < resumed.steps);
  const steps = logLines(runDir('resumed'), 'step').map((line) => line['step']);
  assert.deepEqual(steps, [...new Set(steps)], 'no step was committed twice');
});

test('a coordinator and workers started by hand end with the same weights, and a worker without the files is refused', async () => {
  const args = ['--data', data, '--out', runDir('by-hand'), '--json', ...RUN, '--workers', '2'];
  const coordinator = startCli(['coordinator', ...args]);
  const address = (await coordinator.seen(/tcp:\/\/127\.0\.0\.1:\d+/)).trim();
  const empty = join(folder.path, 'empty');
  mkdirSync(empty);
  const wrong = await cli('worker', '--coordinator', address, '--data', empty);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /DATA_MANIFEST_MISMATCH.*is missing/s);

  const workers = [
    cli('worker', '--coordinator', address),
    cli('worker', '--coordinator', address, '--data', data),
  ];
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as Summary).weightDigest, reference);
  for (const worker of await Promise.all(workers)) assert.equal(worker.code, 0, worker.stderr);
});

test('a run killed at a checkpoint within an epoch, with moving average, goes on to the same weights', async () => {
  const flags = [
    '--ema-decay',
    '0.9',
    '--batch',
    '12',
    '--checkpoint-every-steps',
    '3',
    '--evaluate-every',
    '3',
  ];
  const straight = await trained('ema-straight', '--workers', '2', ...flags);
  const out = runDir('ema-killed');
  const run = startCli(['train', '--data', data, '--out', out, ...RUN, ...flags, '--workers', '3']);
  await run.seen(/epoch 2 /);
  run.child.kill('SIGKILL');
  await run.done;
  assert.equal(
    (await trained('ema-killed', '--workers', '1', '--resume', ...flags)).weightDigest,
    straight.weightDigest,
  );
});

test('a run that stopped early stays stopped when it is resumed, and keeps its summary', async () => {
  const flags = ['--early-stop-patience', '1', '--early-stop-metric', 'train-accuracy', '--lr', '1e-9'];
  const stopped = await trained('early', '--workers', '1', ...flags);
  assert.ok(stopped.steps < 24, 'it stopped before its last step');
  assert.deepEqual(await trained('early', '--workers', '2', '--resume', ...flags), stopped);
});

test('a run prolonged after it ended within an epoch ends as one that was to be prolonged from the start', async () => {
  const flags = ['--warmup-steps', '2', '--steps', '5', '--workers', '2'];
  const long = await trained('long', ...flags, '--prolonged', '5:3');
  await trained('prolonged', ...flags);
  const again = await cli('train', '--resume', runDir('prolonged'), '--extend-to-epochs', '3', '--json');
  assert.equal((JSON.parse(again.stdout) as Summary).weightDigest, long.weightDigest, again.stderr);
});

test('`vitrail digest` prints the digest that the run ended with', async () => {
  const { stdout, code } = await cli('digest', runDir('one'), '--json');
  assert.equal(code, 0);
  assert.equal((JSON.parse(stdout) as { sha256: string }).sha256, reference);
  const last = logLines(runDir('one'), 'checkpoint').at(-1) as { path: string };
  assert.equal((await cli('digest', last.path)).stdout.split(' ')[0], reference);
});
