// The common part of both builds of the native code: finds a compiler, and compiles files that are not up to
// date.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildProgress } from './build-progress.mjs';
import { digestOf, objectDigests, share, takeShared } from './objects.mjs';

export const HERE = dirname(fileURLToPath(import.meta.url));
export const SOURCES = join(HERE, 'src');
const require = createRequire(import.meta.url);

/**
 * Flags for every C++ file and compiler. Without -Wno-psabi, GCC notes that vectors are passed in another way
 * than in other ABIs.
 */
export const FLAGS = [
  '-std=c++17',
  '-O3',
  '-fPIC',
  '-fvisibility=hidden',
  '-pthread',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-Wall',
  '-Wextra',
  '-Wno-psabi',
  '-DNAPI_VERSION=8',
  '-DNODE_ADDON_API_CPP_EXCEPTIONS',
];

/**
 * Whether a warning stops the build: VITRAIL_WARNINGS=errors, which the project's own checks set. An
 * installation does not set it, because a newer compiler must not fail for a warning that did not exist when
 * this version was published.
 */
const warningsAreErrors = () => process.env.VITRAIL_WARNINGS === 'errors';

/** Thrown on a machine that cannot build. This is no failure; the reason is printed. */
export class Unavailable extends Error {}

export function works(compiler, args, input = 'int main() { return 0; }\n') {
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

/** The compiler, on a machine that the kernels support. @throws Unavailable */
export function hostCompiler() {
  platformCheck();
  return findCompiler();
}

/** Files with `exact` in their path promise bits equal to JavaScript's: no multiplication is fused with an addition. */
export function isExact(file) {
  return file.includes('exact');
}

/**
 * Builds, or prints one line that says why not. @param otherwise what is used in its place; '' for nothing
 */
export async function tryBuild(what, otherwise, build) {
  try {
    await build();
  } catch (error) {
    const unavailable = error instanceof Unavailable;
    const reason = unavailable ? error.message : 'compiling failed, see above';
    console.error(`${what} not built: ${reason}${otherwise === '' ? '' : `; ${otherwise}`}`);
    if (!unavailable) console.error(error.message.slice(0, 2000));
  }
}

/** Whether Node was started with the file of this `import.meta.url`. */
export function isMain(url) {
  return process.argv[1] === fileURLToPath(url);
}

/** Whether this is npm's install script below scripts/setup.mjs, which builds afterwards. */
export function isLeftToSetup() {
  return process.env.VITRAIL_BUILD === 'later' && process.env.npm_lifecycle_event === 'install';
}

/** Files below src with the extension, as paths relative to src. */
export function sourceFiles(extension) {
  return readdirSync(SOURCES, { recursive: true })
    .filter((name) => name.endsWith(extension))
    .sort();
}

export function includeFlags() {
  const folders = [
    require('node-api-headers').include_dir,
    dirname(require.resolve('node-addon-api/package.json')),
  ];
  return folders.map((folder) => `-isystem${folder}`);
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

/** Runs the jobs, as many at the same time as there are processors. */
async function inParallel(jobs) {
  const queue = [...jobs];
  const serve = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, serve));
}

/** The tasks, with warnings as errors; nvcc, which is given the host's warnings in one word, is left as it is. */
function strict(tasks) {
  return tasks.map((task) =>
    task.flags.includes('-Wextra') ? { ...task, flags: [...task.flags, '-Werror'] } : task,
  );
}

/**
 * Compiles every task { source, compiler, flags, object } whose object is not there yet, and links all to `target`.
 * Objects are kept by the digest of everything that they depend on, including headers and compilers.
 * @param by.link [compiler, ...flags]
 * @param by.alsoGood tasks of other addons; where `target` is one of them, or one that was built with warnings as
 * errors, it stays
 */
export async function buildAddon({ what, target, folder, tasks, alsoGood = [], link, force }) {
  writeCompileCommands(tasks, target);
  const digest = objectDigests();
  const nameOf = (task) => `${digest(task)}-${task.object}`;
  const withObjects = (all) =>
    all.map((task) => ({ ...task, name: nameOf(task), object: join(folder, nameOf(task)) }));
  const stampOf = (all) => digestOf([...link, ...all.map(({ name }) => name)]);
  const dated = withObjects(warningsAreErrors() ? strict(tasks) : tasks);
  const stamp = `${target}.digest`;
  const wanted = stampOf(dated);
  if (!force && existsSync(target) && existsSync(stamp)) {
    const found = readFileSync(stamp, 'utf8');
    const kinds = [tasks, ...alsoGood].flatMap((all) =>
      warningsAreErrors() ? [strict(all)] : [all, strict(all)],
    );
    if (kinds.some((all) => found === stampOf(withObjects(all)))) return;
  }

  mkdirSync(folder, { recursive: true });
  // An object that was compiled with warnings as errors is as good.
  const strictNames = strict(tasks).map(nameOf);
  const isThere = ({ name, object }, i) => existsSync(object) || takeShared([name, strictNames[i]], object);
  const stale = force ? dated : dated.filter((task, i) => !isThere(task, i));
  const progress = buildProgress(`building ${what}`, stale.length);
  let good = false;
  try {
    await compileAndLink({ target, folder, dated, stale, link, progress });
    writeFileSync(stamp, wanted);
    good = true;
  } finally {
    progress.end(good);
  }
}

/** For clangd and other tools: how each file is compiled. Kernels are listed for the highest level. */
function writeCompileCommands(tasks, target) {
  if (basename(target) !== 'vitrail.node') return;
  const byFile = new Map(
    tasks.map(({ compiler, source, flags }) => [
      source,
      { directory: HERE, file: source, arguments: [compiler, ...flags, '-c', source] },
    ]),
  );
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(
    join(dirname(target), 'compile_commands.json'),
    `${JSON.stringify([...byFile.values()], null, 2)}\n`,
  );
}

async function compileAndLink({ target, folder, dated, stale, link, progress }) {
  const kept = new Set(dated.map(({ object }) => basename(object)));
  for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name));
  await inParallel(
    stale.map(({ compiler, source, flags, object }) => async () => {
      await execute(compiler, [...flags, '-c', source, '-o', `${object}.part`]);
      renameSync(`${object}.part`, object);
      share(object);
      progress.advance();
    }),
  );
  const [linker, ...flags] = link;
  await execute(linker, [...flags, '-o', `${target}.part`, ...dated.map(({ object }) => object)]);
  renameSync(`${target}.part`, target);
}
