/** The short form of the chaos suite: seeded schedules of kills, stops, cuts and slowness; every run has to end with
 * the clean run's weights. The long form is `npm run chaos`; docs/reliability.md has its results. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cli, temporaryFolder } from './cli-run.js';

interface Report {
  readonly runs: number;
  readonly failed: number;
  readonly verdicts: readonly { readonly hit: readonly string[]; readonly problems: readonly string[] }[];
}

test('a run that is hit again and again ends with the weights of the clean run', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const flags = ['--systematic', '--faults', '10', '--schedules', '1', '--json'];
  const { code, stdout, stderr } = await cli('chaos', '--out', folder.path, ...flags);
  assert.equal(code, 0, stderr);
  const { runs, failed, verdicts } = JSON.parse(stdout) as Report;
  assert.deepEqual([runs, failed], [1, 0]);
  // A schedule that hits nothing proves nothing.
  assert.ok(
    verdicts.every(({ hit }) => hit.length >= 4),
    stderr,
  );
});
