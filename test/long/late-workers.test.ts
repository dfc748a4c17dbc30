/** Whole fleets that are replaced, and a worker that wakes up when all is over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCli } from '../end-to-end/cli-run.js';
import { ElasticRuns, startWorker } from '../end-to-end/elastic-runs.js';
import { LONG_RUN } from './long-run.js';

const runs = new ElasticRuns(LONG_RUN);

test('a coordinator and a worker that are killed are replaced, and the run goes on with the fewest workers it may', async () => {
  const { coordinator, workers, address, args } = await runs.startByHand('replaced', {
    workers: ['', ''],
    flags: ['--min-workers', '2', '--join-timeout-ms', '10000'],
  });
  await coordinator.seen(/epoch 2 /);
  coordinator.child.kill('SIGKILL');
  workers[1]!.child.kill('SIGKILL');
  await Promise.all([coordinator.done, workers[1]!.done]);
  const again = startCli(args);
  const fresh = startWorker(address);
  const { code, stdout, stderr } = await again.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('replaced', stdout);
  const taken = await fresh.done;
  assert.equal(taken.code, 0, taken.stderr);
  assert.match(taken.stderr, /state taken from a peer/);
  assert.equal((await workers[0]!.done).code, 0);
});

test('when all workers die the run rolls back to its newest checkpoint with new ones', async () => {
  const { coordinator, address, workers } = await runs.startByHand('all-dead', { workers: ['', ''] });
  await coordinator.seen(/epoch 3 /);
  for (const worker of workers) worker.child.kill('SIGKILL');
  await coordinator.seen(/rolling back to the newest checkpoint/);
  const fresh = [startWorker(address), startWorker(address)];
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameWeights(stdout);
  for (const worker of fresh) assert.equal((await worker.done).code, 0);
});

test('a worker that sleeps until its coordinator has ended ends as well when it wakes up', async () => {
  const { coordinator, workers } = await runs.startByHand('overslept', { workers: ['', ''] });
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
