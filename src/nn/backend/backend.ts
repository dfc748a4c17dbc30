/** Chooses and starts the tfjs backend that computes in this process. */
import { tf } from '../tfjs.js';
import { coded, reasonOf } from '../../errors/errors.js';
import { loadGpuKernels, loadKernels } from '../../kernels/addon.js';
import { registerNativeBackend } from './tfjs-backend.js';
import { TENSORFLOW_PACKAGE, tensorflowInstalled, tensorflowMissing } from './tensorflow-package.js';

/** Canonical names. Coordinator and workers compare them, because bits differ between backends. */
export type BackendName = 'native' | 'wasm' | 'cpu' | 'tensorflow';

/**
 * The choices of `startBackend`. `auto` is tensorflow if it is installed, else native if it is built, else
 * wasm.
 */
export const BACKEND_CHOICES = ['auto', 'native', 'wasm', 'cpu', 'tensorflow'] as const;

/** Registers the backend with tfjs, or throws. */
const REGISTER: Readonly<Record<BackendName, (gpu: number | null) => unknown>> = {
  native: (gpu) => {
    const loaded = gpu === null ? loadKernels() : loadGpuKernels();
    if (loaded.kernels === undefined) throw new Error(loaded.reason);
    registerNativeBackend(loaded.kernels);
  },
  wasm: () => load('@tensorflow/tfjs-backend-wasm'),
  cpu: () => load('@tensorflow/tfjs-backend-cpu'),
  tensorflow: () => load(TENSORFLOW_PACKAGE),
};

/** Imports a package by a name that tsc does not resolve, because an optional package may be missing. */
function load(module: string): Promise<unknown> {
  return import(module);
}

async function start(name: BackendName, gpu: number | null = null): Promise<BackendName> {
  if (name === 'tensorflow' && !tensorflowInstalled()) throw tensorflowMissing();
  try {
    await REGISTER[name](gpu);
    if (!(await tf.setBackend(name))) throw new Error('it did not initialise');
    await tf.ready();
  } catch (thrown) {
    // Only the first line, because Node appends the whole chain of requires.
    const reason = reasonOf(thrown).split('\n', 1)[0]!;
    const available = (Object.keys(REGISTER) as BackendName[]).filter((other) => other !== name);
    throw coded('BACKEND_UNAVAILABLE', { backend: name, reason, available: available.join(', ') });
  }
  return name;
}

function isBackend(choice: string): choice is BackendName {
  return Object.hasOwn(REGISTER, choice);
}

/**
 * Starts the chosen backend and makes it the process's active one.
 * @param gpu of the native backend; null for the processor
 * @throws BACKEND_UNAVAILABLE, BACKEND_NOT_INSTALLED
 */
export async function startBackend(choice: string, gpu: number | null = null): Promise<BackendName> {
  // Switches off checks and hints of tfjs that are meant for interactive use, such as the banner of its cpu
  // backend.
  tf.enableProdMode();
  if (choice === 'auto') return start('tensorflow').catch(() => start('native').catch(() => start('wasm')));
  if (isBackend(choice)) return start(choice, gpu);
  throw coded('BACKEND_UNAVAILABLE', {
    backend: choice,
    reason: 'there is no backend of that name',
    available: BACKEND_CHOICES.join(', '),
  });
}
