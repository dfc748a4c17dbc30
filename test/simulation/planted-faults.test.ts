/** The simulation sees: every fault that is planted into the code is found. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { PLANTED_FAULTS } from './planted-faults.js';

const run = promisify(execFile);
const PLANT = './dist/test/simulation/plant.js';
const SIMULATE = 'dist/src/simulation/simulate.js';

/** The one that shows it moves with every change of what is written or sent: then one of the next does. */
const MOST_RUNS = '20';

for (const { name, only, seed } of PLANTED_FAULTS) {
  test(`it is found where ${name}`, async () => {
    const which = ['--runs', MOST_RUNS, '--from', String(seed), '--only', only.join(), '--stop-at-first'];
    const args = ['--import', PLANT, SIMULATE, ...which];
    const env = { ...process.env, VITRAIL_PLANTED: name, NODE_V8_COVERAGE: '' };
    await assert.rejects(run(process.execPath, args, { env }), (failed: unknown) => {
      assert.match((failed as { stdout: string }).stdout, /seed \d+: .+/);
      return true;
    });
  });
}
