// The test files, sorted, and how they are run. (Node 20's runner takes no patterns.)
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isLong } from './test-arguments.mjs';

/** How many test files run at the same time. Those with whole runs sometimes wait for processes. */
export const CONCURRENCY = availableParallelism() + 1;

/** How long a test file may run. */
export const TIMEOUT_MS = 300_000;

/**
 * The environment of a test run. With it, errors of tests and of the processes that they start name lines of
 * the sources.
 */
export function testEnvironment(variables = process.env) {
  const before = variables.NODE_OPTIONS ?? '';
  if (before.includes('--enable-source-maps')) return variables;
  return { ...variables, NODE_OPTIONS: `${before} --enable-source-maps`.trim() };
}

/** Areas of files that run for long: a file that is started last must not be what all processors but one wait for. */
const LONG_AREAS = ['simulation', 'end-to-end', 'api'];

/** The files, those of areas that take long before all others. */
export function longestFirst(files) {
  const rankOf = (path) => {
    const rank = LONG_AREAS.findIndex((area) => path.split(/[/\\]/).includes(area));
    return rank === -1 ? LONG_AREAS.length : rank;
  };
  return [...files].sort((a, b) => rankOf(a) - rankOf(b));
}

/** Options of Node's test runner. @param {number} timeoutMs for each file */
export function testFlags(timeoutMs = TIMEOUT_MS) {
  return [
    '--test',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${timeoutMs}`,
    '--test-reporter=spec',
  ];
}

/** Sources of all tests, as paths from the root of the project. */
export function testSources() {
  return readdirSync('test', { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name))
    .sort();
}

/** The file that is compiled from a source below test/. */
export function compiledTest(source) {
  return join('dist', source.replace(/\.ts$/, '.js'));
}

/** @param {string} area folder below dist/test, or '' for all but the long ones */
export function testFiles(area = '') {
  const folder = join('dist/test', area);
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(folder, name))
    .filter((path) => area !== '' || !isLong(path))
    .sort();
}
