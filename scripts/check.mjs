// Every check of the project. The totals of the test run come last: they are what a reader looks for.
import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { testFiles } from './test-files.mjs';

const node = process.execPath;
const COVERAGE = 'coverage/tmp';

function finish(name, status, startMs) {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok' : 'FAILED'}  ${name} (${seconds} s)`);
  if (status !== 0) process.exit(status ?? 1);
}

function check(name, args) {
  const startMs = performance.now();
  finish(name, spawnSync(node, args, { stdio: 'inherit' }).status, startMs);
}

/** Runs the tests, shows their output as it comes, resolves to exit status and closing totals. */
async function runTests() {
  rmSync('coverage', { recursive: true, force: true });
  const flags = ['--test', '--test-concurrency=2', '--test-timeout=180000', '--test-reporter=spec'];
  const env = { ...process.env, NODE_V8_COVERAGE: resolve(COVERAGE) };
  const tests = spawn(node, [...flags, ...testFiles()], { stdio: ['ignore', 'pipe', 'inherit'], env });
  let output = '';
  tests.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    process.stdout.write(text);
  });
  const status = await new Promise((done) => tests.once('close', done));
  return { status, totals: output.split('\n').filter((line) => /^ℹ \w+ [\d.]+$/.test(line)) };
}

check('formatting', ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.']);
check('lint', ['node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.']);
const cruiser = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs';
check('directions', [cruiser, 'src', 'test', 'bench', 'scripts']);
check('dead code', ['node_modules/knip/bin/knip.js']);

const startMs = performance.now();
const { status, totals } = await runTests();
finish('tests', status, startMs);
const c8 = ['node_modules/c8/bin/c8.js', 'report', '--temp-directory', COVERAGE, '--check-coverage'];
check('coverage', [...c8, '--reporter=text-summary', '--reporter=json']);
console.log(totals.join('\n'));
