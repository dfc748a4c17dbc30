/** Chooses and starts the tfjs backend that computes in this process. */
import { tf } from '../tfjs.js';
import { coded, reasonOf } from '../../errors/errors.js';
import { loadGpuKernels, loadKernels } from '../../kernels/addon.js';
import { registerNativeBackend } from './tfjs-backend.js';
import { TENSORFLOW_PACKAGE, tensorflowInstalled, tensorflowMissing } from './tensorflow-package.js';

/** Canonical names, as workers and coordinator compare them: bits differ between backends. */
export type BackendName = 'native' | 'wasm' | 'cpu' | 'tensorflow';

/** What `startBackend` takes; `auto` is tensorflow where it is installed, else native where it is built, else wasm. */
export const BACKEND_CHOICES = ['auto', 'native', 'wasm', 'cpu', 'tensorflow'] as const;

/** Makes the backend known to tfjs, or throws. */
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

/** By a name that tsc does not follow: an optional one may be missing. */
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
    // The first line: Node appends the whole chain of requires.
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
  // Checks and advice of tfjs that are meant for interactive use, the banner of its cpu backend among them.
  tf.enableProdMode();
  if (choice === 'auto') return start('tensorflow').catch(() => start('native').catch(() => start('wasm')));
  if (isBackend(choice)) return start(choice, gpu);
  throw coded('BACKEND_UNAVAILABLE', {
    backend: choice,
    reason: 'there is no backend of that name',
    available: BACKEND_CHOICES.join(', '),
  });
}
