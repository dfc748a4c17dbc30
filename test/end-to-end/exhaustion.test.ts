/** Commands that the system gives too little to: they end with a coded error, never with a stack. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCli, type CliResult } from './cli-run.js';

const limited = async (limit: string, ...args: readonly string[]): Promise<CliResult> =>
  startCli(args, {}, ['sh', '-c', `ulimit ${limit}; exec "$@"`, '_']).done;

test('if there are too few open files to load the program, the error names the limit to raise', async () => {
  const { code, stderr } = await limited('-n 32', 'train', '--data', '/nowhere');
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^error OPEN_FILES_EXHAUSTED: .*EMFILE.*\n {6}raise the limit .*ulimit -n/);
  assert.doesNotMatch(stderr, /^ {4}at /m);
});
