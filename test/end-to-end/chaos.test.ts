/** The end of the chaos suite itself. Its schedules are in test/long; the long form is `npm run chaos`. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { isAlive, smallDataset, startCli, temporaryFolder } from './cli-run.js';

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
