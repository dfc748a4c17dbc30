// Runs the tests of the native kernels under sanitizers: node scripts/sanitize.mjs [address,undefined] [thread]
//
// The addon is built with the sanitizer, whose runtime is loaded into an ordinary Node.js before anything else. Every
// report is a failure, except races that lie wholly in Node.js, which is not built for the thread sanitizer: it cannot
// see how Node's own threads agree. Leaks are not looked for: Node.js leaves its memory to the system when it ends;
// what the kernels' allocator holds is counted by the tests. A sanitizer that cannot be used here is named with the
// reason, and is no failure.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { buildNative } from '../native/build.mjs';
import { findCompiler } from '../native/compile.mjs';
import { build } from './build.mjs';
import { testEnvironment, testFiles, testFlags } from './test-files.mjs';

const REPORTS = resolve('native/build/reports');
/** The depth of a report's stack, and the path of reports, one file for each process. */
const COMMON = `allocator_may_return_null=1:print_stacktrace=1:log_path=${join(REPORTS, 'report')}`;

const SANITIZERS = {
  'address,undefined': {
    runtime: 'libasan.so',
    env: { ASAN_OPTIONS: `${COMMON}:detect_leaks=0`, UBSAN_OPTIONS: `${COMMON}:halt_on_error=1` },
  },
  thread: {
    runtime: 'libtsan.so',
    // The exit status is that of the tests. Node's own races must not change it.
    env: { TSAN_OPTIONS: `${COMMON}:exitcode=0:history_size=4` },
  },
};

function output(command, args, options = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options });
  return { succeeded: status === 0, text: `${stdout ?? ''}${stderr ?? ''}`.trim() };
}

/**
 * The thread sanitizer needs memory at fixed addresses. Some containers do not allow the setting for this;
 * then it is left out.
 */
function withoutRandomAddresses() {
  const prefix = ['setarch', '-R'];
  return output(prefix[0], [...prefix.slice(1), 'true']).succeeded ? prefix : [];
}

/** The sanitizer's runtime of the compiler. @returns undefined if it has none */
function runtimePath(library) {
  const { text } = output(findCompiler(), [`-print-file-name=${library}`]);
  return isAbsolute(text) ? text : undefined;
}

/** Command line and environment that load the sanitized addon, or why that does not work here. */
async function prepared(sanitize) {
  const { runtime, env } = SANITIZERS[sanitize];
  try {
    const preload = runtimePath(runtime);
    if (preload === undefined) return { reason: `the compiler has no ${runtime}` };
    await buildNative({ sanitize, choice: 'runnable' });
    const binary = resolve('native/build', `vitrail-${sanitize.replaceAll(',', '-')}.node`);
    // The emulator of a GPU is not built with sanitizers, which take its fibers for damage. So tests must not
    // find it.
    const addons = { VITRAIL_NATIVE: binary, VITRAIL_CUDA: resolve('native/build/none.node') };
    const run = {
      command: [...withoutRandomAddresses(), process.execPath],
      env: { ...testEnvironment(), ...env, LD_PRELOAD: preload, ...addons },
    };
    const [command, ...args] = [...run.command, '-e', `require(${JSON.stringify(binary)})`];
    const { succeeded, text } = output(command, args, { env: run.env });
    return succeeded ? { run } : { reason: `Node.js does not start with it: ${text.split('\n', 1)[0]}` };
  } catch (error) {
    return { reason: error.message.split('\n', 1)[0] };
  }
}

/** All reports, one text each. */
function reports() {
  const texts = readdirSync(REPORTS).map((name) => readFileSync(join(REPORTS, name), 'utf8'));
  return texts
    .flatMap((text) => text.split(/^=+$/m))
    .filter((text) => /ERROR|WARNING|runtime error/.test(text));
}

/** Tests ask for allocations that are refused. */
function isOurs(report) {
  return (
    !/failed to allocate/.test(report) &&
    (!/ThreadSanitizer/.test(report) || /vitrail-thread\.node/.test(report))
  );
}

/** @returns whether the tests pass without a report */
async function sanitized(sanitize) {
  const startMs = performance.now();
  const { run, reason } = await prepared(sanitize);
  if (run === undefined) {
    console.log(`NOT RUN  ${sanitize}: ${reason}`);
    return true;
  }
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  const [command, ...args] = [...run.command, ...testFlags(600_000), ...testFiles('kernels')];
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: run.env });
  const all = reports();
  const ours = all.filter(isOurs);
  for (const report of ours) console.log(report);
  const good = status === 0 && ours.length === 0;
  const counts = `${ours.length} reports, ${all.length - ours.length} not of the kernels`;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  console.log(`${good ? 'ok' : 'FAILED'}  ${sanitize} (${counts}, ${seconds} s)`);
  return good;
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(SANITIZERS);
const unknown = wanted.find((name) => !Object.hasOwn(SANITIZERS, name));
if (unknown !== undefined) {
  console.error(`no sanitizer ${unknown}; there are ${Object.keys(SANITIZERS).join(' and ')}`);
  process.exit(2);
}
await build();
let good = true;
for (const sanitize of wanted) good = (await sanitized(sanitize)) && good;
process.exit(good ? 0 : 1);
