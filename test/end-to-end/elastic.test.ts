/** Workers that die, stop, leave and join: every run ends with the clean run's weights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slowSteps, startCli } from './cli-run.js';
import { ElasticRuns } from './elastic-runs.js';

const runs = new ElasticRuns();

test('a worker that is killed costs nothing: the others finish its step and the run', async () => {
  const { coordinator, workers } = await runs.startByHand('killed', {
    workers: ['mid-micro-batch@5:kill', '', ''],
  });
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('killed', stdout);
  const lost = runs.clusterLines('killed').filter((line) => line.kind === 'lost');
  assert.deepEqual(
    lost.map((line) => runs.pidOf('killed', line.worker)),
    [workers[0]!.child.pid],
  );
  for (const worker of workers.slice(1)) assert.equal((await worker.done).code, 0);
});

test('a worker that gets SIGTERM hands over and leaves, and the run goes on', async () => {
  const { coordinator, workers } = await runs.startByHand('left', { workers: ['', slowSteps(4, 4)] });
  await coordinator.seen(/epoch 1 /);
  workers[0]!.child.kill('SIGTERM');
  const left = await workers[0]!.done;
  assert.equal(left.code, 143, left.stderr);
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('left', stdout);
  assert.ok(!runs.clusterLines('left').some((line) => line.kind === 'lost'));
  assert.equal((await workers[1]!.done).code, 0);
});

test('a run whose only worker is killed starts another, which goes on from the newest checkpoint', async () => {
  const args = runs.argumentsOf('replaced', '--workers', '1', '--checkpoint-every-steps', '3');
  const run = startCli(['train', ...args], { VITRAIL_FAULTS: slowSteps(4, 4) });
  await run.seen(/epoch 1 /);
  process.kill(runs.pidOf('replaced', 0), 'SIGKILL');
  const { code, stdout, stderr } = await run.done;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /it was ended by SIGKILL; another is started in its place \(2 more times\)/);
  assert.match(stderr, /rolling back to the newest checkpoint/);
  runs.assertSameWeights(stdout);
});
