/** Loads the compiled kernels. It is the only file that loads the addons. */
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expandHome } from '../run/config/home-path.js';
import { reasonOf } from '../errors/errors.js';
import type { DeviceKernels, GpuKernels, Kernels } from './kernel-api.js';

export type Loaded<K extends DeviceKernels> =
  { readonly kernels: K } | { readonly kernels: undefined; readonly reason: string };

interface Addon {
  /** The name of the file in native/build. */
  readonly file: string;
  /** An environment variable that names another file: one built with sanitizers, or for the emulator. */
  readonly variable: string;
  readonly what: string;
  /** What is needed to build it. The build script says which of that is missing. */
  readonly needs: string;
}

const PROCESSOR: Addon = {
  file: 'vitrail.node',
  variable: 'VITRAIL_NATIVE',
  what: 'native kernels',
  needs: 'node native/build.mjs builds them with a C++17 compiler',
};
const GPU: Addon = {
  file: 'vitrail-cuda.node',
  variable: 'VITRAIL_CUDA',
  what: 'CUDA kernels',
  needs: 'node native/build-cuda.mjs builds them with a CUDA toolkit of version 12 or newer',
};

function load<K extends DeviceKernels>({ file, variable, what, needs }: Addon): Loaded<K> {
  const fromHere = new URL(`../../../native/build/${file}`, import.meta.url);
  const named = process.env[variable];
  const path = named === undefined ? fileURLToPath(fromHere) : expandHome(named, homedir());
  if (!existsSync(path)) {
    return { kernels: undefined, reason: `the ${what} are not built on this machine (${needs})` };
  }
  try {
    return { kernels: createRequire(import.meta.url)(path) as K };
  } catch (error) {
    return { kernels: undefined, reason: `the ${what} do not load: ${reasonOf(error)}` };
  }
}

let processor: Loaded<Kernels> | undefined;
let gpu: Loaded<GpuKernels> | undefined;

/**
 * The processor's kernels of this thread, or why there are none. Each thread has its own, with their own
 * memory and threads.
 */
export function loadKernels(): Loaded<Kernels> {
  processor ??= load<Kernels>(PROCESSOR);
  return processor;
}

/**
 * The kernels for GPUs, or why there are none. Whether there is a GPU is found out only when they are asked.
 */
export function loadGpuKernels(): Loaded<GpuKernels> {
  gpu ??= load<GpuKernels>(GPU);
  return gpu;
}
