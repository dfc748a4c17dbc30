/** Seeded schedules of kills, stops, cuts and slowness; every run has to end with the clean run's weights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli, temporaryFolder } from '../end-to-end/cli-run.js';

interface Report {
  readonly runs: number;
  readonly failed: number;
  readonly counts: readonly { readonly point: string; readonly action: string }[];
  readonly verdicts: readonly { readonly hit: readonly string[]; readonly problems: readonly string[] }[];
}

test('runs that are hit again and again end with the weights of the clean run', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const flags = ['--systematic', '--faults', '10', '--schedules', '2', '--json'];
  const { code, stdout, stderr } = await cli('chaos', '--out', folder.path, ...flags);
  assert.equal(code, 0, stderr);
  const { runs, failed, verdicts, counts } = JSON.parse(stdout) as Report;
  assert.deepEqual([runs, failed], [2, 0]);
  // A schedule that hits nothing proves nothing.
  assert.ok(
    verdicts.every(({ hit }) => hit.length >= 4),
    stderr,
  );
  // One dies while it takes the state from a peer, one while it gives it.
  for (const point of ['state-pull', 'state-serve']) {
    assert.ok(
      counts.some((count) => count.point === point && count.action === 'kill'),
      `${point}: ${stderr}`,
    );
  }
});
