// Runs compiled test files in the order in which they are given, which `node --test` does not keep:
// node scripts/run-tests.mjs CONCURRENCY FILE...
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { TIMEOUT_MS } from './test-files.mjs';

const [concurrency, ...files] = process.argv.slice(2);
const stream = run({ files, concurrency: Number(concurrency), timeout: TIMEOUT_MS });
stream.on('test:fail', () => (process.exitCode = 1));
stream.compose(new spec()).pipe(process.stdout);
