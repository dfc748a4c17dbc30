/** Runs simulated histories in a process of their own. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SIMULATE = 'dist/src/simulation/simulate.js';

/** @returns what the simulation says of so many histories. Counting coverage would slow it down. */
export async function histories(runs: number, from: number): Promise<string> {
  const args = ['--enable-source-maps', SIMULATE, '--runs', String(runs), '--from', String(from)];
  const env = { ...process.env, NODE_V8_COVERAGE: '' };
  const { stdout } = await run(process.execPath, args, { env }).catch(
    (failed: unknown) => failed as { stdout: string },
  );
  return stdout;
}
