// The compiled test files below dist/test, sorted, and how they are run. (Node 20's runner takes no patterns.)
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Of Node's test runner. @param {number} timeoutMs of a file */
export function testFlags(timeoutMs = 300_000) {
  return ['--test', '--test-concurrency=2', `--test-timeout=${timeoutMs}`, '--test-reporter=spec'];
}

/** @param {string} area folder below dist/test, or '' for all */
export function testFiles(area = '') {
  const folder = join('dist/test', area);
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(folder, name))
    .sort();
}
