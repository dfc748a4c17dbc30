// Runs every check of the project, two at a time if one leaves a core free. The totals of the test run come
// last, because readers look for them.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { buildCuda, localArchitectures } from '../native/build-cuda.mjs';
import { Unavailable } from '../native/compile.mjs';
import { CheckedSources } from './checked-sources.mjs';
import { CONCURRENCY, longestFirst, testEnvironment, testFiles } from './test-files.mjs';

const node = process.execPath;
const COVERAGE = 'coverage/tmp';

function finish(name, status, startMs) {
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok' : 'FAILED'}  ${name} (${seconds} s)`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs a check, which must not fail. Its output is shown in one piece. */
async function check(name, args) {
  const startMs = performance.now();
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  }
  const status = await new Promise((done) => child.once('close', done));
  process.stdout.write(output);
  finish(name, status, startMs);
}

/** Runs test files in this order. @param show is given their output as it comes @returns exit status, closing totals */
async function runTests(files, { concurrency, variables, show }) {
  const env = testEnvironment({ ...process.env, ...variables });
  const args = ['scripts/run-tests.mjs', String(concurrency), ...files];
  const tests = spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  let output = '';
  tests.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    show(text);
  });
  const status = await new Promise((done) => tests.once('close', done));
  const totals = [...output.matchAll(/^ℹ (\w+) ([\d.]+)$/gm)].map(([, name, count]) => [name, Number(count)]);
  return { status, output, totals: new Map(totals) };
}

function sumOf(one, other) {
  return new Map([...one].map(([name, count]) => [name, count + (other.get(name) ?? 0)]));
}

/** An addon for CUDA, or one line that says why there is none here. @returns its path */
async function cudaAddon(name, options) {
  const startMs = performance.now();
  try {
    const path = await buildCuda(options);
    finish(name, 0, startMs);
    return path;
  } catch (error) {
    if (error instanceof Unavailable) console.log(`NOT RUN  ${name}: ${error.message}`);
    else {
      console.error(error.message.slice(0, 2000));
      finish(name, 1, startMs);
    }
    return undefined;
  }
}

async function checkForms() {
  await check('formatting', ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.']);
  await check('formatting of native code', ['scripts/format-native.mjs', '--check']);
  const cruiser = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs';
  await check('directions', [cruiser, 'src', 'test', 'bench', 'scripts']);
  await check('dead code', ['node_modules/knip/bin/knip.js']);
}

/** Checks whose result depends only on files run again only if a file has changed. */
async function checkSources() {
  const sources = new CheckedSources('checked-sources');
  if (sources.unchanged) {
    console.log('ok  formatting, lint, directions, dead code (no file has changed since they passed)');
    return;
  }
  // Lint takes as long as all others together.
  await Promise.all([
    check('lint', ['node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.']),
    checkForms(),
  ]);
  sources.passed();
}

async function compileCuda() {
  process.env.VITRAIL_CUDA_ARCHITECTURES = localArchitectures('90');
  await cudaAddon('CUDA kernels compile', {});
  return cudaAddon('CUDA kernels compile for the emulator', { emulated: true });
}

async function checkCoverage() {
  const c8 = ['node_modules/c8/bin/c8.js', 'report', '--temp-directory', COVERAGE, '--check-coverage'];
  await check('coverage', [...c8, '--reporter=text-summary', '--reporter=json']);
}

/** In rooms that only compute, tests must reach every line and branch. */
async function checkPureRooms() {
  const rooms = createRequire(import.meta.url)('../pure-rooms.cjs');
  const limits = ['lines', 'functions', 'branches', 'statements'].flatMap((what) => [`--${what}`, '100']);
  // What ran in a bundled program does not count. It has other positions, by which c8 takes a function for two.
  const include = rooms.flatMap((room) => [
    '--include',
    `src/${room}/**`,
    '--include',
    `dist/src/${room}/**`,
  ]);
  const c8 = [
    'node_modules/c8/bin/c8.js',
    'report',
    '--temp-directory',
    COVERAGE,
    '--check-coverage',
    '--all',
    '--exclude-after-remap=false',
  ];
  await check('coverage of pure rooms', [...c8, ...limits, ...include, '--skip-full', '--reporter=text']);
}

/** Whether a test is about the backends. */
function isOnKernels(path) {
  return readFileSync(path, 'utf8').includes('/tested-backends.js');
}

async function testPass() {
  const startMs = performance.now();
  const variables = { NODE_V8_COVERAGE: resolve(COVERAGE) };
  const show = (text) => process.stdout.write(text);
  const { status, totals } = await runTests(longestFirst(testFiles()), {
    concurrency: CONCURRENCY,
    variables,
    show,
  });
  finish('tests', status, startMs);
  await checkCoverage();
  await checkPureRooms();
  return totals;
}

/** Whether kernels, or what is tested of them, may depend on a file. */
function concernsKernels(path) {
  const folders = [
    'native',
    'src/kernels',
    'src/nn',
    'src/numbers',
    'src/run/model',
    'test/kernels',
    'test/nn',
  ];
  return folders.some((folder) => path.startsWith(`${folder}/`)) || path === 'package-lock.json';
}

/**
 * The same tests again, by kernels for a GPU, one file after the other beside the tests: it is shown in one piece. They are
 * not run again before a file changes that they depend on.
 */
async function emulatorPass(emulated) {
  if (emulated === undefined) return new Map();
  const sources = new CheckedSources('emulated-kernels', concernsKernels);
  if (sources.unchanged) {
    console.log('ok  kernels on the emulator (no file that they depend on has changed since they passed)');
    return new Map();
  }
  const startMs = performance.now();
  const files = [...testFiles('kernels'), ...testFiles('nn').filter(isOnKernels)];
  // Whole training runs use the other order, the ascending one.
  const variables = { VITRAIL_NATIVE: emulated, VITRAIL_EMULATED_ORDER: 'descending', NODE_V8_COVERAGE: '' };
  const show = () => undefined;
  const { status, output, totals } = await runTests(files, { concurrency: 1, variables, show });
  process.stdout.write(output);
  finish('kernels on the emulator', status, startMs);
  sources.passed();
  return totals;
}

const [emulated] = await Promise.all([compileCuda(), checkSources()]);
rmSync('coverage', { recursive: true, force: true });
const [totals, emulatorTotals] = await Promise.all([testPass(), emulatorPass(emulated)]);
console.log([...sumOf(totals, emulatorTotals)].map(([name, count]) => `ℹ ${name} ${count}`).join('\n'));
