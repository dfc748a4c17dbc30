/** Workers that die, stop, leave and join: every run ends with the clean run's weights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCli } from './cli-run.js';
import { ElasticRuns, startWorker } from './elastic-runs.js';

const runs = new ElasticRuns();

test('a worker that is killed costs nothing: the others finish its step and the run', async () => {
  const run = startCli(['train', ...runs.argumentsOf('killed', '--workers', '3')]);
  await run.seen(/epoch 2 /);
  process.kill(runs.pidOf('killed', 1), 'SIGKILL');
  const { code, stdout, stderr } = await run.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('killed', stdout);
  const lost = runs.clusterLines('killed').filter((line) => line.kind === 'lost');
  assert.deepEqual(
    lost.map((line) => line.worker),
    [1],
  );
});

test('a worker that stops is suspected, removed, told so when it wakes up, and joins as a new one', async () => {
  const { coordinator, workers } = await runs.startByHand('stopped', 2, '--epochs', '8');
  await coordinator.seen(/epoch 1 /);
  const sleeper = workers[0]!;
  sleeper.child.kill('SIGSTOP');
  await coordinator.seen(/was lost .*silent/);
  sleeper.child.kill('SIGCONT');
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('stopped', stdout);
  const kinds = runs.clusterLines('stopped').map((line) => line.kind);
  assert.ok(kinds.indexOf('suspected') < kinds.indexOf('lost'));
  const slept = await sleeper.done;
  assert.equal(slept.code, 0, slept.stderr);
  assert.match(slept.stderr, /silent for \d+ ms.*joining again/);
  for (const worker of workers) assert.equal((await worker.done).code, 0);
});

test('a worker that joins takes the state from a peer and works from then on', async () => {
  const { coordinator, address, workers } = await runs.startByHand('joined', 1);
  await coordinator.seen(/epoch 1 /);
  const joiner = startWorker(address);
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('joined', stdout);
  const { stderr: log, code: joinerCode } = await joiner.done;
  assert.equal(joinerCode, 0, log);
  assert.match(log, /state taken from a peer/);
  assert.match(log, /"microBatches":[1-9]/);
  for (const worker of workers) assert.equal((await worker.done).code, 0);
});

test('a worker that gets SIGTERM hands over and leaves, and the run goes on', async () => {
  const { coordinator, workers } = await runs.startByHand('left', 2);
  await coordinator.seen(/epoch 1 /);
  workers[1]!.child.kill('SIGTERM');
  const left = await workers[1]!.done;
  assert.equal(left.code, 143, left.stderr);
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('left', stdout);
  assert.ok(!runs.clusterLines('left').some((line) => line.kind === 'lost'));
  assert.equal((await workers[0]!.done).code, 0);
});

test('with fewer than the fewest workers the run waits, says so, and goes on when one joins', async () => {
  const { coordinator, address, workers } = await runs.startByHand('waiting', 2, '--min-workers', '2');
  await coordinator.seen(/epoch 1 /);
  workers[0]!.child.kill('SIGKILL');
  await coordinator.seen(/waits: 1 of at least 2 workers/);
  const joiner = startWorker(address);
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('waiting', stdout);
  assert.equal((await joiner.done).code, 0);
  await Promise.all(workers.map(async (worker) => worker.done));
});
