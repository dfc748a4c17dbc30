/** A coordinator that dies, and runs of which nobody is left: they go on with the clean run's weights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli, isAlive, startCli } from './cli-run.js';
import { ElasticRuns, startWorker } from './elastic-runs.js';

const runs = new ElasticRuns();

test('a coordinator that is killed and started again goes on at the very step, with the same workers', async () => {
  const { coordinator, workers, args } = await runs.startByHand('restarted', 2);
  await coordinator.seen(/epoch 2 /);
  coordinator.child.kill('SIGKILL');
  await coordinator.done;
  const again = startCli(args);
  const { code, stdout, stderr } = await again.done;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /interrupted at step \d+: waiting for its workers/);
  runs.assertSameRun('restarted', stdout);
  for (const worker of workers) {
    const { code: workerCode, stderr: log } = await worker.done;
    assert.equal(workerCode, 0, log);
    assert.ok(!log.includes('state taken'), 'nobody had to take the state from anybody');
  }
});

test('a coordinator and a worker that are killed are replaced, and the run goes on with the fewest workers it may', async () => {
  const flags = ['--min-workers', '2', '--join-timeout-ms', '10000'];
  const { coordinator, workers, address, args } = await runs.startByHand('replaced', 2, ...flags);
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
  const { coordinator, address, workers } = await runs.startByHand('all-dead', 2);
  await coordinator.seen(/epoch 3 /);
  for (const worker of workers) worker.child.kill('SIGKILL');
  await coordinator.seen(/rolling back to the newest checkpoint/);
  const fresh = [startWorker(address), startWorker(address)];
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameWeights(stdout);
  for (const worker of fresh) assert.equal((await worker.done).code, 0);
});

test('a second coordinator on the same run folder is refused, and names the first', async () => {
  const run = startCli(['train', ...runs.argumentsOf('locked', '--workers', '1', '--epochs', '500')]);
  await run.seen(/epoch 1 /);
  const second = await cli('coordinator', ...runs.argumentsOf('locked', '--epochs', '500', '--resume'));
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`RUN_LOCKED.*process ${run.child.pid}`, 's'));
  run.child.kill('SIGKILL');
  await run.done;
  // The lease of a process that is gone lapses at once, whatever this machine is called by now.
  const renamed = ['unshare', '--uts', 'sh', '-ec', 'hostname another; exec "$@"', '_'];
  const third = startCli(
    ['train', ...runs.argumentsOf('locked', '--workers', '1', '--epochs', '500', '--resume')],
    {},
    process.getuid?.() === 0 ? renamed : [],
  );
  await third.seen(/going on from step/);
  const worker = runs.pidOf('locked', 1);
  third.child.kill('SIGTERM');
  assert.equal((await third.done).code, 143);
  assert.equal(isAlive(worker), false);
});
