/** Workers and coordinators that die, stop, leave and join: every run ends with the clean run's weights. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  cli,
  isAlive,
  logLines,
  SMALL_RUN,
  smallDataset,
  startCli,
  temporaryFolder,
  type CliRun,
} from './cli-run.js';

const folder = temporaryFolder();
let data = '';
let reference = '';

const FLAGS = [...SMALL_RUN, '--suspect-after-ms', '400', '--heartbeat-timeout-ms', '1500'];
const runDir = (name: string): string => join(folder.path, name);
const argumentsOf = (name: string, ...flags: string[]): string[] => [
  ...['--data', data, '--out', runDir(name), '--json', ...FLAGS, ...flags],
];

interface Summary {
  readonly weightDigest: string;
  readonly steps: number;
}

before(async () => {
  data = await smallDataset(folder.path);
  const { stdout } = await cli('train', ...argumentsOf('clean', '--workers', '1'));
  reference = (JSON.parse(stdout) as Summary).weightDigest;
  assert.match(reference, /^[0-9a-f]{64}$/);
});

after(() => folder.remove());

interface ClusterLine {
  readonly kind: string;
  readonly worker: number;
  readonly text: string;
}

const clusterLines = (name: string): ClusterLine[] =>
  logLines(runDir(name), 'cluster') as unknown as ClusterLine[];

function pidOf(name: string, worker: number): number {
  const line = clusterLines(name).find((l) => l.kind === 'joined' && l.worker === worker);
  return Number(/pid (\d+)/.exec(line?.text ?? '')?.[1]);
}

/** Ends with the clean run's weights, having committed every step exactly once. */
function assertSameRun(name: string, stdout: string): void {
  const summary = JSON.parse(stdout) as Summary;
  assert.equal(summary.weightDigest, reference);
  const steps = logLines(runDir(name), 'step').map((line) => line['step']);
  assert.deepEqual(steps, [...new Set(steps)], 'no step was committed twice');
}

/** A coordinator, and `count` workers that are no children of it. */
async function startByHand(name: string, count: number, ...flags: string[]) {
  const args = ['coordinator', ...argumentsOf(name, '--workers', String(count), ...flags)];
  const coordinator = startCli(args);
  const address = (await coordinator.seen(/tcp:\/\/127\.0\.0\.1:\d+/)).trim();
  const workers = Array.from({ length: count }, () => startWorker(address));
  return { coordinator, address, workers, args };
}

function startWorker(address: string): CliRun {
  return startCli(['worker', '--coordinator', address, '--log-level', 'debug']);
}

test('a worker that is killed costs nothing: the others finish its step and the run', async () => {
  const run = startCli(['train', ...argumentsOf('killed', '--workers', '3')]);
  await run.seen(/epoch 2 /);
  process.kill(pidOf('killed', 1), 'SIGKILL');
  const { code, stdout, stderr } = await run.done;
  assert.equal(code, 0, stderr);
  assertSameRun('killed', stdout);
  const lost = clusterLines('killed').filter((line) => line.kind === 'lost');
  assert.deepEqual(
    lost.map((line) => line.worker),
    [1],
  );
});

test('a worker that stops is suspected, removed, told so when it wakes up, and joins as a new one', async () => {
  const { coordinator, workers } = await startByHand('stopped', 2, '--epochs', '8');
  await coordinator.seen(/epoch 1 /);
  const sleeper = workers[0]!;
  sleeper.child.kill('SIGSTOP');
  await coordinator.seen(/was lost .*silent/);
  sleeper.child.kill('SIGCONT');
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  assertSameRun('stopped', stdout);
  const kinds = clusterLines('stopped').map((line) => line.kind);
  assert.ok(kinds.indexOf('suspected') < kinds.indexOf('lost'));
  const slept = await sleeper.done;
  assert.equal(slept.code, 0, slept.stderr);
  assert.match(slept.stderr, /silent for \d+ ms.*joining again/);
  for (const worker of workers) assert.equal((await worker.done).code, 0);
});

test('a worker that joins takes the state from a peer and works from then on', async () => {
  const { coordinator, address, workers } = await startByHand('joined', 1);
  await coordinator.seen(/epoch 1 /);
  const joiner = startWorker(address);
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  assertSameRun('joined', stdout);
  const { stderr: log, code: joinerCode } = await joiner.done;
  assert.equal(joinerCode, 0, log);
  assert.match(log, /state taken from a peer/);
  assert.match(log, /"microBatches":[1-9]/);
  for (const worker of workers) assert.equal((await worker.done).code, 0);
});

test('a coordinator that is killed and started again goes on at the very step, with the same workers', async () => {
  const { coordinator, workers, args } = await startByHand('restarted', 2);
  await coordinator.seen(/epoch 2 /);
  coordinator.child.kill('SIGKILL');
  await coordinator.done;
  const again = startCli(args);
  const { code, stdout, stderr } = await again.done;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /interrupted at step \d+: waiting for its workers/);
  assertSameRun('restarted', stdout);
  for (const worker of workers) {
    const { code: workerCode, stderr: log } = await worker.done;
    assert.equal(workerCode, 0, log);
    assert.ok(!log.includes('state taken'), 'nobody had to take the state from anybody');
  }
});

test('a worker that gets SIGTERM hands over and leaves, and the run goes on', async () => {
  const { coordinator, workers } = await startByHand('left', 2);
  await coordinator.seen(/epoch 1 /);
  workers[1]!.child.kill('SIGTERM');
  const left = await workers[1]!.done;
  assert.equal(left.code, 143, left.stderr);
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  assertSameRun('left', stdout);
  assert.ok(!clusterLines('left').some((line) => line.kind === 'lost'));
  assert.equal((await workers[0]!.done).code, 0);
});

test('with fewer than the fewest workers the run waits, says so, and goes on when one joins', async () => {
  const { coordinator, address, workers } = await startByHand('waiting', 2, '--min-workers', '2');
  await coordinator.seen(/epoch 1 /);
  workers[0]!.child.kill('SIGKILL');
  await coordinator.seen(/waits: 1 of at least 2 workers/);
  const joiner = startWorker(address);
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  assertSameRun('waiting', stdout);
  assert.equal((await joiner.done).code, 0);
  await Promise.all(workers.map(async (worker) => worker.done));
});

test('when all workers die the run goes back to its newest checkpoint with new ones', async () => {
  const { coordinator, address, workers } = await startByHand('all-dead', 2);
  await coordinator.seen(/epoch 3 /);
  for (const worker of workers) worker.child.kill('SIGKILL');
  await coordinator.seen(/going back to the newest checkpoint/);
  const fresh = [startWorker(address), startWorker(address)];
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as Summary).weightDigest, reference);
  for (const worker of fresh) assert.equal((await worker.done).code, 0);
});

test('a second coordinator on the same run folder is refused, and names the first', async () => {
  const run = startCli(['train', ...argumentsOf('locked', '--workers', '1', '--epochs', '500')]);
  await run.seen(/epoch 1 /);
  const second = await cli('coordinator', ...argumentsOf('locked', '--epochs', '500', '--resume'));
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`RUN_LOCKED.*process ${run.child.pid}`, 's'));
  run.child.kill('SIGKILL');
  await run.done;
  // The lock of a killed process is none: the run is resumed, and stopped again.
  const third = startCli([
    'train',
    ...argumentsOf('locked', '--workers', '1', '--epochs', '500', '--resume'),
  ]);
  await third.seen(/going on from step/);
  const worker = pidOf('locked', 1);
  third.child.kill('SIGTERM');
  assert.equal((await third.done).code, 143);
  assert.equal(isAlive(worker), false);
});
