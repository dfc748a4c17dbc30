/** Workers that come in place of others, and one that wakes up when all is over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCli } from './cli-run.js';
import { ElasticRuns } from './elastic-runs.js';

const runs = new ElasticRuns();

test('a run whose only worker is killed starts another, which goes on from the newest checkpoint', async () => {
  const args = runs.argumentsOf('replaced', '--workers', '1', '--checkpoint-every-steps', '3');
  const run = startCli(['train', ...args]);
  await run.seen(/epoch 2 /);
  process.kill(runs.pidOf('replaced', 0), 'SIGKILL');
  const { code, stdout, stderr } = await run.done;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /it was ended by SIGKILL; another is started in its place \(2 more times\)/);
  assert.match(stderr, /rolling back to the newest checkpoint/);
  runs.assertSameWeights(stdout);
});

test('a worker that sleeps until its coordinator has ended ends as well when it wakes up', async () => {
  const { coordinator, workers } = await runs.startByHand('overslept', 2);
  await coordinator.seen(/epoch 1 /);
  const sleeper = workers[0]!;
  sleeper.child.kill('SIGSTOP');
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('overslept', stdout);
  sleeper.child.kill('SIGCONT');
  const slept = await sleeper.done;
  assert.equal(slept.code, 0, slept.stderr);
});
