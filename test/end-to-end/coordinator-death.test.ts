/** A coordinator that dies: its run goes on with the clean run's weights, and its folder is free for another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli, startCli } from './cli-run.js';
import { ElasticRuns } from './elastic-runs.js';

const runs = new ElasticRuns();

test('a coordinator that is killed and started again goes on at the very step, with the same workers', async () => {
  const { coordinator, workers, args } = await runs.startByHand('restarted', {
    workers: ['', ''],
    coordinator: 'mid-commit@6:kill',
  });
  await coordinator.done;
  assert.equal(coordinator.child.signalCode, 'SIGKILL');
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

test('a second coordinator on the same run folder is refused, and names the first', async () => {
  const args = ['coordinator', ...runs.argumentsOf('locked')];
  const run = startCli(args);
  await run.seen(/waiting for 1 worker:/);
  const second = await cli(...args);
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`RUN_LOCKED.*process ${run.child.pid}`, 's'));
  run.child.kill('SIGKILL');
  await run.done;
  // The lease of a process that is gone lapses at once, whatever this machine is called by now.
  const renamed = ['unshare', '--uts', 'sh', '-ec', 'hostname another; exec "$@"', '_'];
  const third = startCli(args, {}, process.getuid?.() === 0 ? renamed : []);
  await third.seen(/waiting for 1 worker:/);
  third.child.kill('SIGTERM');
  assert.equal((await third.done).code, 143);
});
