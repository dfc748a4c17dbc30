// Builds the native kernels: node native/build.mjs [--sanitize=address,undefined|thread] [--force]
//
// Needs a C++17 compiler (CXX, else c++, g++ or clang++) and nothing else. Every kernel file is compiled once for each
// level of processor; the binary picks at run time. Without a compiler, or on a processor that the kernels are not
// made for, it says so in one line and succeeds: the WebAssembly backend is used then.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const SOURCES = join(HERE, 'src');
const require = createRequire(import.meta.url);

const AVX2 = ['-mavx2', '-mfma', '-mf16c', '-mbmi2'];
const AVX512 = [...AVX2, '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mprefer-vector-width=512'];

/** Levels above the portable one, by the macro that src/kernels/variant.h knows them by. */
const LEVELS = [
  { macro: 'PORTABLE', flags: [] },
  { macro: 'AVX2', flags: AVX2 },
  { macro: 'AVX512', flags: AVX512 },
  { macro: 'AVX512BF16', flags: [...AVX512, '-mavx512bf16'] },
];

/** Kernels with instructions of the highest level; the others use those of the level below. */
const BF16 = /^kernels.(gemm|attention)\.cc$/;

const FLAGS = [
  ...[
    '-std=c++17',
    '-O3',
    '-fPIC',
    '-fvisibility=hidden',
    '-pthread',
    '-fno-math-errno',
    '-fno-trapping-math',
  ],
  ...[
    '-Wall',
    '-Wextra',
    '-Wno-psabi',
    '-Wno-uninitialized',
    '-Wno-maybe-uninitialized',
    '-Wno-missing-field-initializers',
    '-DNAPI_VERSION=8',
  ],
  '-DNODE_ADDON_API_CPP_EXCEPTIONS',
];

class Unavailable extends Error {}

function works(compiler, args, input = 'int main() { return 0; }\n') {
  const flags = ['-x', 'c++', '-std=c++17', ...args, '-c', '-o', '/dev/null', '-'];
  return spawnSync(compiler, flags, { input, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0;
}

/** @throws where there is none */
export function findCompiler() {
  const candidates = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
  const found = candidates.find((candidate) => works(candidate, []));
  if (found === undefined) throw new Unavailable(`no C++17 compiler (tried ${candidates.join(', ')})`);
  return found;
}

function platformCheck() {
  if (process.platform === 'win32') throw new Unavailable('Windows is not supported yet');
  if (process.arch !== 'x64') throw new Unavailable(`no kernels for ${process.arch} processors`);
}

/** Files below src with the extension, as paths relative to src. */
function sourceFiles(extension) {
  return readdirSync(SOURCES, { recursive: true })
    .filter((name) => name.endsWith(extension))
    .sort();
}

function includeFolders() {
  return [require('node-api-headers').include_dir, dirname(require.resolve('node-addon-api/package.json'))];
}

/** What to compile: kernel files once a level, all others once. Files in `exact/` promise bits equal to JavaScript's. */
function plan(compiler, sanitize) {
  const levels = LEVELS.filter(({ flags }) => works(compiler, flags));
  const macros = levels.map(({ macro }) => `-DVITRAIL_${macro}`);
  const includes = includeFolders().map((folder) => `-isystem${folder}`);
  const common = [...FLAGS, ...includes, ...macros];
  if (sanitize) common.push(`-fsanitize=${sanitize}`, '-g', '-O1', '-fno-omit-frame-pointer');
  return sourceFiles('.cc').flatMap((file) => {
    const contract = file.includes('exact') ? 'off' : 'fast';
    const flags = [...common, `-ffp-contract=${contract}`];
    if (!file.startsWith('kernels')) return [{ file, flags, object: `${basename(file)}.o` }];
    return levels
      .filter(({ macro }) => macro !== 'AVX512BF16' || BF16.test(file))
      .map((level) => ({
        file,
        flags: [...flags, ...level.flags, `-DVITRAIL_LEVEL_${level.macro}`],
        object: `${basename(file)}.${level.macro}.o`,
      }));
  });
}

function digestOf(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 16);
}

function execute(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 2, 2] });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args.join(' ')}`)),
    );
  });
}

/** Runs the jobs, as many at a time as there are processors. */
async function inParallel(jobs) {
  const queue = [...jobs];
  const serve = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, serve));
}

/**
 * Builds native/build/vitrail.node (vitrail-<sanitizers>.node with `sanitize`), where it is not up to date.
 * Objects are kept by the digest of all that they follow from.
 */
export async function buildNative({ sanitize = '', force = false } = {}) {
  platformCheck();
  const compiler = findCompiler();
  const folder = join(HERE, 'build', sanitize ? sanitize.replaceAll(',', '-') : 'release');
  const target = join(
    HERE,
    'build',
    sanitize ? `vitrail-${sanitize.replaceAll(',', '-')}.node` : 'vitrail.node',
  );
  const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout;
  const headers = sourceFiles('.h').map((file) => readFileSync(join(SOURCES, file)));
  const tasks = plan(compiler, sanitize).map((task) => {
    const source = join(SOURCES, task.file);
    const digest = digestOf([version, ...task.flags, ...headers, readFileSync(source)]);
    return { ...task, source, object: join(folder, `${digest}-${task.object}`) };
  });
  const stamp = `${target}.digest`;
  const wanted = digestOf(tasks.map(({ object }) => object));
  if (!force && existsSync(target) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;

  const stale = force ? tasks : tasks.filter(({ object }) => !existsSync(object));
  console.error(`building native kernels (${stale.length} of ${tasks.length} files) ...`);
  mkdirSync(folder, { recursive: true });
  const kept = new Set(tasks.map(({ object }) => basename(object)));
  for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name));
  await inParallel(
    stale.map(({ source, flags, object }) => async () => {
      await execute(compiler, [...flags, '-c', source, '-o', `${object}.part`]);
      renameSync(`${object}.part`, object);
    }),
  );
  const link = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
  if (sanitize) link.push(`-fsanitize=${sanitize}`);
  await execute(compiler, [
    ...link,
    '-pthread',
    '-o',
    `${target}.part`,
    ...tasks.map(({ object }) => object),
  ]);
  renameSync(`${target}.part`, target);
  writeFileSync(stamp, wanted);
}

/** As buildNative, but a machine that cannot build is told so in one line. */
export async function tryBuildNative(options) {
  try {
    await buildNative(options);
  } catch (error) {
    const reason = error instanceof Unavailable ? error.message : 'compiling failed, see above';
    console.error(`native kernels not built: ${reason}; WebAssembly is used instead (slower)`);
    if (!(error instanceof Unavailable)) console.error(error.message.slice(0, 2000));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sanitize = process.argv.find((arg) => arg.startsWith('--sanitize='))?.slice('--sanitize='.length);
  await tryBuildNative({ sanitize, force: process.argv.includes('--force') });
}
