/** One schedule of the chaos suite: the run has to end with the clean run's weights. More are in test/long; the long form
 * is `npm run chaos`, and docs/reliability.md has its results. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { drawDataset } from '../../src/demo/drawn-dataset.js';
import { cli, isAlive, smallDataset, startCli, temporaryFolder } from './cli-run.js';

interface Report {
  readonly runs: number;
  readonly failed: number;
  readonly counts: readonly { readonly point: string; readonly action: string }[];
  readonly verdicts: readonly { readonly hit: readonly string[]; readonly problems: readonly string[] }[];
}

test('a fleet that is killed while a worker takes the state and while one gives it ends with the weights of the clean run', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  // Two steps an epoch, sixteen in all: enough for the faults of the first schedule.
  const data = join(folder.path, 'data');
  await drawDataset(data, { seed: 1, trainPerClass: 4, testPerClass: 2 });
  const flags = ['--data', data, '--systematic', '--schedules', '1', '--workers', '2', '--json'];
  const { code, stdout, stderr } = await cli('chaos', '--out', join(folder.path, 'runs'), ...flags);
  assert.equal(code, 0, stderr);
  const { runs, failed, verdicts, counts } = JSON.parse(stdout) as Report;
  assert.deepEqual([runs, failed], [1, 0]);
  // A schedule that hits nothing proves nothing.
  assert.ok(
    verdicts.every(({ hit }) => hit.length >= 4),
    stderr,
  );
  for (const point of ['state-pull', 'state-serve']) {
    assert.ok(
      counts.some((count) => count.point === point && count.action === 'kill'),
      `${point}: ${stderr}`,
    );
  }
});

/** The coordinator's process, from the lease of the run that is under way below `out`; waits for it. */
async function leaseHolder(out: string): Promise<number> {
  for (;;) {
    const files = readdirSync(out, { recursive: true, encoding: 'utf8' });
    const lease = files.find((file) => /coordinator-\d+\.lock$/.test(file));
    const text = lease === undefined ? '' : readFileSync(join(out, lease), 'utf8');
    if (text !== '') return (JSON.parse(text) as { pid: number }).pid;
    await setTimeout(20);
  }
}

test('chaos that is ended by a signal to itself alone leaves no process', { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const data = await smallDataset(folder.path);
  const run = startCli(['chaos', '--out', folder.path, '--data', data, '--workers', '1']);
  const pid = await leaseHolder(folder.path);
  assert.ok(isAlive(pid));
  run.child.kill('SIGTERM');
  await run.done;
  assert.equal(run.child.signalCode, 'SIGTERM');
  assert.ok(!isAlive(pid));
});
