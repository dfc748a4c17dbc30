// Builds the CUDA addon: node native/build-cuda.mjs [--emulated] [--force]
//
// Needs a CUDA toolkit (12 or 13; CUDA_HOME, else nvcc on the PATH) beside the compiler; without one it says so in one
// line and succeeds. VITRAIL_CUDA_ARCHITECTURES (say "80,90", or "none") leaves out others. With --emulated the same files are
// built by the host's compiler for the emulator of src/cuda/emulator, which the kernel tests run on without a GPU.
import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
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
  Unavailable,
} from './compile.mjs';

/** Ampere (A100, then RTX 30), Ada, Hopper, Blackwell (B200, then RTX 50). */
const ARCHITECTURES = [80, 86, 89, 90, 100, 120];
const OLDEST_TOOLKIT = 12;

/** Time limit of nvidia-smi, which can hang with a driver that has lost a GPU. */
const SURVEY_TIMEOUT_MS = 20_000;

const MACROS = ['-DVITRAIL_CUDA'];

/** nvcc's path. @throws Unavailable if there is none, or only an old one */
export function findToolkit() {
  const home = process.env.CUDA_HOME?.replace(/^~(?=\/)/, homedir());
  const nvcc = home ? join(home, 'bin', 'nvcc') : 'nvcc';
  const { status, stdout } = spawnSync(nvcc, ['--version'], { encoding: 'utf8' });
  const version = status === 0 ? /release (\d+)\.(\d+)/.exec(stdout) : null;
  if (version === null) throw new Unavailable(`no CUDA toolkit (tried ${nvcc})`);
  if (Number(version[1]) < OLDEST_TOOLKIT) {
    throw new Unavailable(`CUDA toolkit ${version[1]}.${version[2]} is older than ${OLDEST_TOOLKIT}.0`);
  }
  return nvcc;
}

/**
 * The architectures to compile for on this machine, in the form of VITRAIL_CUDA_ARCHITECTURES: its value if
 * it is set, else those of the GPUs that are there, else `otherwise`.
 */
export function localArchitectures(otherwise) {
  const asked = process.env.VITRAIL_CUDA_ARCHITECTURES;
  if (asked !== undefined) return asked;
  const query = ['--query-gpu=compute_cap', '--format=csv,noheader'];
  const { stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: SURVEY_TIMEOUT_MS });
  const found = (stdout?.match(/^\d+\.\d+$/gm) ?? []).map((version) => Number(version.replace('.', '')));
  const usable = new Set(found.filter((architecture) => architecture >= ARCHITECTURES[0]));
  return usable.size > 0 ? [...usable].join(',') : otherwise;
}

/** Code for every architecture that is asked for and that the toolkit knows, and PTX of the newest for later ones. */
function architectureFlags(nvcc) {
  if (process.env.VITRAIL_CUDA_ARCHITECTURES === 'none') {
    throw new Unavailable('no GPU is here (VITRAIL_CUDA_ARCHITECTURES=90 builds for one all the same)');
  }
  const { stdout } = spawnSync(nvcc, ['--list-gpu-code'], { encoding: 'utf8' });
  const known = new Set(stdout.match(/\d+/g)?.map(Number));
  const asked = process.env.VITRAIL_CUDA_ARCHITECTURES?.split(/[,; ]+/).map(Number);
  const chosen = (asked ?? ARCHITECTURES).filter((architecture) => known.has(architecture));
  if (chosen.length === 0) throw new Unavailable(`${nvcc} knows none of the architectures ${asked}`);
  const newest = Math.max(...chosen);
  return [
    ...chosen.flatMap((n) => ['-gencode', `arch=compute_${n},code=sm_${n}`]),
    ...['-gencode', `arch=compute_${newest},code=compute_${newest}`],
  ];
}

/** The bindings of the processor's addon, without those that only it needs. */
function hostFiles(emulated) {
  const others = ['bindings/settings.cc', 'bindings/exact.cc', 'base/processor.cc', 'base/system-memory.cc'];
  return sourceFiles('.cc').filter((file) => {
    if (file.startsWith('cuda')) return emulated || !file.includes('emulator');
    return !file.startsWith('kernels') && !file.includes('thread-pool') && !others.includes(file);
  });
}

function emulatedTasks(compiler) {
  // Only nvcc knows `#pragma unroll`.
  const flags = [...FLAGS, ...includeFlags(), ...MACROS, '-Wno-unknown-pragmas'];
  const task = (file, language) => ({
    compiler,
    source: join(SOURCES, file),
    object: `${basename(file)}.o`,
    flags: [...flags, `-ffp-contract=${isExact(file) ? 'off' : 'fast'}`, ...language],
  });
  const kernels = sourceFiles('.cu').filter((file) => file !== 'cuda/device.cu');
  return [
    ...hostFiles(true).map((file) => task(file, [])),
    ...kernels.map((file) => task(file, ['-x', 'c++'])),
  ];
}

function cudaTasks(compiler, nvcc) {
  const host = [...FLAGS, ...includeFlags(), ...MACROS];
  const forHost = ['-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', '-Wno-unused-parameter'];
  const device = [
    ...['-std=c++17', '-O3', ...MACROS, '-ccbin', compiler, '--threads', '2'],
    ...['-Xcompiler', forHost.join(','), ...architectureFlags(nvcc)],
  ];
  return [
    ...hostFiles(false).map((file) => ({
      compiler,
      source: join(SOURCES, file),
      flags: host,
      object: `${basename(file)}.o`,
    })),
    ...sourceFiles('.cu').map((file) => ({
      compiler: nvcc,
      source: join(SOURCES, file),
      object: `${basename(file)}.o`,
      flags: isExact(file) ? [...device, '-fmad=false'] : device,
    })),
  ];
}

/**
 * Builds the addon if it is not up to date. @returns its path @throws Unavailable on a machine that cannot
 * build it
 */
export async function buildCuda({ emulated = false, force = false } = {}) {
  const compiler = hostCompiler();
  const name = emulated ? 'emulated' : 'cuda';
  const nvcc = emulated ? undefined : findToolkit();
  const target = join(HERE, 'build', `vitrail-${name}.node`);
  await buildAddon({
    what: emulated ? 'CUDA kernels for the emulator' : 'CUDA kernels',
    target,
    folder: join(HERE, 'build', name),
    tasks: nvcc === undefined ? emulatedTasks(compiler) : cudaTasks(compiler, nvcc),
    link:
      nvcc === undefined
        ? [compiler, '-shared', '-pthread', '-ldl']
        : [nvcc, '-shared', '-cudart=static', '-ccbin', compiler, '-ldl'],
    force,
  });
  return target;
}

/** As buildCuda, but prints one line on a machine that cannot build. */
export async function tryBuildCuda(options) {
  await tryBuild('CUDA kernels', '', async () => buildCuda(options));
}

if (isMain(import.meta.url) && !isLeftToSetup()) {
  await tryBuildCuda({
    emulated: process.argv.includes('--emulated'),
    force: process.argv.includes('--force'),
  });
}
