/** Workers that sleep, and workers that a run waits for: it ends with the clean run's weights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElasticRuns, startWorker } from '../end-to-end/elastic-runs.js';

const runs = new ElasticRuns();

test('a worker that stops is suspected, removed, told so when it wakes up, and joins as a new one', async () => {
  const { coordinator, workers } = await runs.startByHand('stopped', {
    workers: ['mid-micro-batch@5:stop', ''],
    flags: ['--min-workers', '2'],
  });
  await coordinator.seen(/was lost .*silent/);
  const sleeper = workers[0]!;
  sleeper.child.kill('SIGCONT');
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('stopped', stdout);
  const kinds = runs.clusterLines('stopped').map((line) => line.kind);
  assert.ok(kinds.indexOf('suspected') < kinds.indexOf('lost'));
  const slept = await sleeper.done;
  assert.equal(slept.code, 0, slept.stderr);
  assert.match(slept.stderr, /silent for \d+ ms.*joining again/);
  assert.equal((await workers[1]!.done).code, 0);
});

test('with fewer than the fewest workers the run waits; one that joins takes the state from a peer and works', async () => {
  const { coordinator, address, workers } = await runs.startByHand('waiting', {
    workers: ['before-ring@5:kill', ''],
    flags: ['--min-workers', '2'],
  });
  await coordinator.seen(/waits: 1 of at least 2 workers/);
  const joiner = startWorker(address);
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  runs.assertSameRun('waiting', stdout);
  const { stderr: log, code: joinerCode } = await joiner.done;
  assert.equal(joinerCode, 0, log);
  assert.match(log, /state taken from a peer/);
  assert.match(log, /"microBatches":[1-9]/);
  assert.equal((await workers[1]!.done).code, 0);
});
