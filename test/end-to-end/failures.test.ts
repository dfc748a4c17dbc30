/** What goes wrong ends with a coded error, an exit code, the last checkpoint kept, and no process left behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  cli,
  coverProcesses,
  ENDLESS,
  isAlive,
  logLines,
  SMALL_RUN,
  smallDataset,
  startCli,
  temporaryFolder,
  type CliRun,
} from './cli-run.js';

coverProcesses();
const folder = temporaryFolder();
let data = '';

before(async () => {
  data = await smallDataset(folder.path);
});

after(() => folder.remove());

/** One that would train for minutes, with a worker. */
function startLongRun(out: string, ...flags: string[]): CliRun {
  return startCli([
    'train',
    '--data',
    data,
    '--out',
    out,
    ...SMALL_RUN,
    ...ENDLESS,
    '--workers',
    '1',
    ...flags,
  ]);
}

function workerPids(runDir: string): number[] {
  return logLines(runDir, 'cluster')
    .filter((line) => line['kind'] === 'joined')
    .map((line) => Number(/pid (\d+)/.exec(String(line['text']))?.[1]));
}

async function allGone(pids: readonly number[]): Promise<boolean> {
  for (let tries = 0; tries < 200 && pids.some(isAlive); tries++) await new Promise((r) => setTimeout(r, 50));
  return !pids.some(isAlive);
}

test('a run whose last worker is killed ends: it is named, and the checkpoint is kept', async () => {
  const out = join(folder.path, 'killed');
  const run = startLongRun(out, '--max-restarts', '0');
  await run.seen(/epoch 2 /);
  const pids = workerPids(out);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  const { code, stderr } = await run.done;
  assert.equal(code, 1);
  assert.match(stderr, /WORKER_LOST.*worker \d was lost in step \d+ .*SIGKILL/s);
  assert.ok(await allGone(pids));
  assert.ok(readdirSync(join(out, 'checkpoints')).length > 0);
  const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as {
    completed: boolean;
    reason: string;
  };
  assert.equal(summary.completed, false);
  assert.match(summary.reason, /WORKER_LOST/);
});

test('workers end when the process that started them is killed', async () => {
  const out = join(folder.path, 'orphans');
  const run = startLongRun(out, '--workers', '2');
  await run.seen(/epoch 1 /);
  const pids = workerPids(out);
  assert.equal(pids.length, 2);
  run.child.kill('SIGKILL');
  await run.done;
  assert.ok(await allGone(pids));
});

test('SIGTERM ends a run cleanly, with a checkpoint of its last step', async () => {
  const out = join(folder.path, 'terminated');
  const run = startLongRun(out, '--json');
  await run.seen(/epoch 1 /);
  run.child.kill('SIGTERM');
  const { code, stdout } = await run.done;
  assert.equal(code, 143);
  const summary = JSON.parse(stdout) as { steps: number; checkpoint: string };
  assert.ok(summary.checkpoint.endsWith(String(summary.steps).padStart(8, '0')));
  assert.ok(await allGone(workerPids(out)));
});

test('a second signal ends a run at once, and its workers with it', async () => {
  const out = join(folder.path, 'twice');
  const run = startLongRun(out);
  await run.seen(/epoch 1 /);
  run.child.kill('SIGSTOP');
  run.child.kill('SIGINT');
  run.child.kill('SIGTERM');
  run.child.kill('SIGCONT');
  await run.done;
  assert.ok(['SIGINT', 'SIGTERM'].includes(run.child.signalCode ?? ''));
  assert.ok(await allGone(workerPids(out)));
});

test('a worker that waits for its coordinator leaves at once when it is asked twice', async () => {
  const worker = startCli(['worker', '--coordinator', 'tcp://127.0.0.1:1']);
  await worker.seen(/looking for the coordinator/);
  // Both are there before it can have left for the first.
  for (const signal of ['SIGSTOP', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const) worker.child.kill(signal);
  await worker.done;
  assert.ok(['SIGINT', 'SIGTERM'].includes(worker.child.signalCode ?? ''));
});

test('a learning rate that blows up stops the run with a verdict', async () => {
  const out = join(folder.path, 'blown-up');
  const flags = [
    '--lr',
    '1e38',
    '--clip-norm',
    '0',
    '--optimizer',
    'sgd',
    '--warmup-steps',
    '0',
    '--schedule',
    'constant',
  ];
  const { code, stderr } = await cli('train', '--data', data, '--out', out, ...SMALL_RUN, ...flags);
  assert.equal(code, 1);
  assert.match(stderr, /(LOSS|GRADIENT)_NOT_FINITE/);
});

test('Ctrl-C while workers are awaited ends at once, and a second run may take the folder', async () => {
  const out = join(folder.path, 'waiting');
  const run = startCli(['coordinator', '--data', data, '--out', out, ...SMALL_RUN]);
  await run.seen(/waiting for 1 worker:/);
  run.child.kill('SIGINT');
  const { code } = await run.done;
  assert.equal(code, 130);
  assert.ok(!existsSync(join(out, 'config.yaml')));
});

test('a port in use is named, and the run folder stays free', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const out = join(folder.path, 'port-in-use');
  for (const flags of [
    ['--http-listen', `127.0.0.1:${port}`],
    ['--listen', `tcp://127.0.0.1:${port}`],
  ]) {
    const { code, stderr } = await cli('train', '--data', data, '--out', out, ...SMALL_RUN, ...flags);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`PORT_IN_USE.*${port}`, 's'));
    assert.ok(!existsSync(out));
  }
  server.close();
});

test('a broken image ends a run of two workers with its path, and is left out by a list', async () => {
  const broken = join(folder.path, 'broken');
  cpSync(data, broken, { recursive: true });
  const image = join(broken, 'train', 'star', readdirSync(join(broken, 'train', 'star'))[0]!);
  writeFileSync(image, readFileSync(image).subarray(0, 200));
  const out = join(folder.path, 'broken-run');
  const { code, stderr } = await cli('train', '--data', broken, '--out', out, ...SMALL_RUN, '--workers', '2');
  assert.equal(code, 1);
  assert.match(stderr, /DATA_BROKEN_IMAGE.*star/s);
  assert.ok(!stderr.includes('    at '), 'no stack is shown');

  const list = join(folder.path, 'exclude.txt');
  assert.equal((await cli('data', 'check', broken, '--write-exclude', list)).code, 0);
  const without = ['--data', broken, '--exclude', list, '--out', `${out}-2`];
  const fixed = await cli('train', ...without, ...SMALL_RUN, '--steps', '1', '--workers', '1');
  assert.equal(fixed.code, 0, fixed.stderr);
});

test('a run folder that holds a run is not written over', async () => {
  const out = join(folder.path, 'terminated');
  const before = readFileSync(join(out, 'summary.json'), 'utf8');
  const { code, stderr } = await cli('train', '--data', data, '--out', out, ...SMALL_RUN);
  assert.equal(code, 1);
  assert.match(stderr, /RUN_EXISTS/);
  assert.equal(readFileSync(join(out, 'summary.json'), 'utf8'), before);
});

test('resuming with an option changed that matters names it', async () => {
  const out = join(folder.path, 'terminated');
  const flags = [...ENDLESS, '--resume', '--dropout', '0.2'];
  const { code, stderr } = await cli('train', '--data', data, '--out', out, ...SMALL_RUN, ...flags);
  assert.equal(code, 1);
  assert.match(stderr, /RUN_CONFIG_CHANGED.*dropout/s);
});

test('what cannot be is refused before anything is written', async () => {
  const out = join(folder.path, 'refused');
  for (const [flags, expected] of [
    [['--batch', '16', '--micro-batch', '5'], /BATCH_NOT_DIVISIBLE.*16.*5/s],
    [['--data', '/nonexistent'], /DATA_NOT_A_DIRECTORY.*\/nonexistent/s],
    [['--resume'], /CHECKPOINT_NOT_FOUND/],
  ] as const) {
    const { code, stderr } = await cli('train', '--data', data, '--out', out, ...SMALL_RUN, ...flags);
    assert.equal(code, 1);
    assert.match(stderr, expected);
    assert.ok(!existsSync(out));
  }
});
