// Builds the native kernels: node native/build.mjs [--sanitize=address,undefined|thread] [--force]
//
// Needs a C++17 compiler (CXX, else c++, g++ or clang++) and nothing else. Every kernel file is compiled once for each
// level of processor that levels.mjs chooses; the binary picks at run time. Without a compiler, or on a processor that
// the kernels are not made for, it says so in one line and succeeds: the WebAssembly backend is used then.
import { basename, join } from 'node:path';
import {
  buildAddon,
  FLAGS,
  HERE,
  hostCompiler,
  includeFlags,
  isExact,
  isLeftToSetup,
  isMain,
  sourceFiles,
  SOURCES,
  tryBuild,
  works,
} from './compile.mjs';
import { BF16, chosenLevels, levelChoice, LEVELS, runnableLevels } from './levels.mjs';

/** The files to compile: kernel files once for each level, all others once. */
function plan(compiler, levels, sanitize) {
  const common = [...FLAGS, ...includeFlags(), ...levels.map(({ macro }) => `-DVITRAIL_${macro}`)];
  if (sanitize) common.push(`-fsanitize=${sanitize}`, '-g', '-O1', '-fno-omit-frame-pointer');
  const files = sourceFiles('.cc').filter((file) => !file.startsWith('cuda'));
  return files.flatMap((file) => {
    const source = join(SOURCES, file);
    const flags = [...common, `-ffp-contract=${isExact(file) ? 'off' : 'fast'}`];
    if (!file.startsWith('kernels')) return [{ compiler, source, flags, object: `${basename(file)}.o` }];
    return levels
      .filter(({ macro }) => macro !== 'AVX512BF16' || BF16.test(file))
      .map((level) => ({
        compiler,
        source,
        object: `${basename(file)}.${level.macro}.o`,
        flags: [...flags, ...level.flags, `-DVITRAIL_LEVEL_${level.macro}`],
      }));
  });
}

/**
 * Builds native/build/vitrail.node (vitrail-<sanitizers>.node with `sanitize`) if it is not up to date. A
 * file with more levels than are asked for counts as up to date.
 */
export async function buildNative({ sanitize = '', choice = levelChoice(), force = false } = {}) {
  const compiler = hostCompiler();
  const known = LEVELS.filter(({ flags }) => works(compiler, flags));
  const runnable = choice === 'all' ? [] : runnableLevels(compiler);
  const levels = chosenLevels(choice, known, runnable);
  const more = [chosenLevels('runnable', known, runnable), known];
  const name = sanitize ? sanitize.replaceAll(',', '-') : 'release';
  const link = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
  if (sanitize) link.push(`-fsanitize=${sanitize}`);
  await buildAddon({
    what: `native kernels for ${levels.map((level) => level.name).join(', ')}`,
    target: join(HERE, 'build', sanitize ? `vitrail-${name}.node` : 'vitrail.node'),
    folder: join(HERE, 'build', name),
    tasks: plan(compiler, levels, sanitize),
    alsoGood: more.map((others) => plan(compiler, others, sanitize)),
    link: [compiler, ...link, '-pthread'],
    force,
  });
}

/** As buildNative, but prints one line on a machine that cannot build. */
export async function tryBuildNative(options) {
  await tryBuild('native kernels', 'WebAssembly is used instead (slower)', async () => buildNative(options));
}

if (isMain(import.meta.url) && !isLeftToSetup()) {
  const sanitize = process.argv.find((arg) => arg.startsWith('--sanitize='))?.slice('--sanitize='.length);
  await tryBuildNative({ sanitize, force: process.argv.includes('--force') });
}
