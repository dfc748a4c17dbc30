/** Loads the compiled kernels: the one door to the addon. */
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { reasonOf } from '../../../shared/errors.js';
import type { Kernels } from './kernel-api.js';

export type LoadedKernels =
  { readonly kernels: Kernels } | { readonly kernels: undefined; readonly reason: string };

/** VITRAIL_NATIVE names another binary: one built with sanitizers. */
function binaryPath(): string {
  const fromHere = new URL('../../../../../native/build/vitrail.node', import.meta.url);
  return process.env['VITRAIL_NATIVE'] ?? fileURLToPath(fromHere);
}

function load(): LoadedKernels {
  const path = binaryPath();
  if (!existsSync(path))
    return { kernels: undefined, reason: 'the native kernels are not built on this machine' };
  try {
    return { kernels: createRequire(import.meta.url)(path) as Kernels };
  } catch (error) {
    return { kernels: undefined, reason: `the native kernels do not load: ${reasonOf(error)}` };
  }
}

let loaded: LoadedKernels | undefined;

/** The kernels of this thread (each has its own memory and threads), or why there are none. */
export function loadKernels(): LoadedKernels {
  loaded ??= load();
  return loaded;
}
