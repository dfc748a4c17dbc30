// Builds the native kernels: node native/build.mjs [--sanitize=address,undefined|thread] [--force]
//
// Needs a C++17 compiler (CXX, else c++, g++ or clang++) and nothing else. Every kernel file is compiled once for each
// level of processor; the binary picks at run time. Without a compiler, or on a processor that the kernels are not
// made for, it says so in one line and succeeds: the WebAssembly backend is used then.
import { basename, join } from 'node:path';
import {
  buildAddon,
  FLAGS,
  HERE,
  hostCompiler,
  includeFlags,
  isExact,
  isMain,
  sourceFiles,
  SOURCES,
  tryBuild,
  works,
} from './compile.mjs';

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

/** What to compile: kernel files once a level, all others once. */
function plan(compiler, sanitize) {
  const levels = LEVELS.filter(({ flags }) => works(compiler, flags));
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
        ...{ compiler, source, object: `${basename(file)}.${level.macro}.o` },
        flags: [...flags, ...level.flags, `-DVITRAIL_LEVEL_${level.macro}`],
      }));
  });
}

/** Builds native/build/vitrail.node (vitrail-<sanitizers>.node with `sanitize`), where it is not up to date. */
export async function buildNative({ sanitize = '', force = false } = {}) {
  const compiler = hostCompiler();
  const name = sanitize ? sanitize.replaceAll(',', '-') : 'release';
  const link = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
  if (sanitize) link.push(`-fsanitize=${sanitize}`);
  await buildAddon({
    what: 'native kernels',
    target: join(HERE, 'build', sanitize ? `vitrail-${name}.node` : 'vitrail.node'),
    folder: join(HERE, 'build', name),
    tasks: plan(compiler, sanitize),
    link: [compiler, ...link, '-pthread'],
    force,
  });
}

/** As buildNative, but a machine that cannot build is told so in one line. */
export async function tryBuildNative(options) {
  await tryBuild('native kernels', 'WebAssembly is used instead (slower)', async () => buildNative(options));
}

if (isMain(import.meta.url)) {
  const sanitize = process.argv.find((arg) => arg.startsWith('--sanitize='))?.slice('--sanitize='.length);
  await tryBuildNative({ sanitize, force: process.argv.includes('--force') });
}
