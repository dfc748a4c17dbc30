/** Whole runs in virtual time: whatever happens to them, they end with the weights of the clean run. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SIMULATE = 'dist/src/simulation/simulate.js';
const HISTORIES = 1000;

async function histories(from: number): Promise<string> {
  const args = ['--enable-source-maps', SIMULATE, '--runs', String(HISTORIES), '--from', String(from)];
  const { stdout } = await run(process.execPath, args).catch(
    (failed: unknown) => failed as { stdout: string },
  );
  return stdout;
}

// A process each: one per core.
for (const from of [1, 1 + HISTORIES]) {
  test(`${HISTORIES} histories from seed ${from} on keep every promise`, async () => {
    assert.match(await histories(from), new RegExp(`^${HISTORIES} histories, 0 failed`));
  });
}
