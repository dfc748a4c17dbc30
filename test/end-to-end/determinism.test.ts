/** The promise: the same weights bit for bit on any number of workers, straight through or resumed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cli, logLines, SMALL_RUN, smallDataset, startCli, temporaryFolder } from './cli-run.js';

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
    'train',
    '--data',
    data,
    '--out',
    runDir(name),
    '--json',
    ...SMALL_RUN,
    ...flags,
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

test('ipc sockets, no cache and recomputed activations change no bit', async () => {
  const flags = ['--workers', '2', '--ring-transport', 'ipc', '--cache-bytes', '0', '--recompute'];
  assert.equal((await trained('other-ways', ...flags)).weightDigest, reference);
});

test('a run stopped with Ctrl-C and resumed on another number of workers ends with the same weights', async () => {
  const args = ['--data', data, '--out', runDir('resumed'), '--json', ...SMALL_RUN];
  const run = startCli(['train', ...args, '--workers', '2']);
  await run.seen(/epoch 3 /);
  run.child.kill('SIGINT');
  const stopped = await run.done;
  assert.equal(stopped.code, 0, stopped.stderr);
  const first = JSON.parse(stopped.stdout) as Summary;
  assert.equal(first.reason, 'stopped by SIGINT');

  const resumed = await trained('resumed', '--workers', '3', '--resume');
  assert.equal(resumed.weightDigest, reference);
  assert.ok(first.steps > 0 && first.steps < resumed.steps);
  const steps = logLines(runDir('resumed'), 'step').map((line) => line['step']);
  assert.deepEqual(steps, [...new Set(steps)], 'no step was committed twice');
});

test('`vitrail digest` prints the digest that the run ended with', async () => {
  const path = join(runDir('one'), 'checkpoints');
  const { stdout, code } = await cli('digest', runDir('one'), '--json');
  assert.equal(code, 0);
  const best = JSON.parse(stdout) as { checkpoint: string };
  assert.ok(best.checkpoint.startsWith(path));
  const last = logLines(runDir('one'), 'checkpoint').at(-1) as { path: string; weightDigest: string };
  assert.equal(last.weightDigest, reference);
  assert.equal((await cli('digest', last.path)).stdout.split(' ')[0], reference);
});
