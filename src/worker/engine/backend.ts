/** Chooses and starts the tfjs backend that computes in this process. */
import * as tf from '@tensorflow/tfjs-core';
import { coded, reasonOf } from '../../shared/errors.js';

/** Canonical names, as workers and coordinator compare them: bits differ between backends. */
export type BackendName = 'wasm' | 'cpu' | 'tensorflow';

/** What `startBackend` takes; `auto` is tensorflow where it is installed, else wasm. */
export const BACKEND_CHOICES = ['auto', 'wasm', 'cpu', 'tensorflow'] as const;

const MODULES: Readonly<Record<BackendName, string>> = {
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: '@tensorflow/tfjs-backend-cpu',
  // An optional dependency: it needs a TensorFlow library for the platform.
  tensorflow: '@tensorflow/tfjs-node-gpu',
};

async function start(name: BackendName): Promise<BackendName> {
  try {
    await import(MODULES[name]);
    if (!(await tf.setBackend(name))) throw new Error('it did not initialise');
    await tf.ready();
  } catch (thrown) {
    // The first line: Node appends the whole chain of requires.
    const reason = reasonOf(thrown).split('\n', 1)[0]!;
    const available = (Object.keys(MODULES) as BackendName[]).filter((other) => other !== name);
    throw coded('BACKEND_UNAVAILABLE', { backend: name, reason, available: available.join(', ') });
  }
  return name;
}

function isBackend(choice: string): choice is BackendName {
  return Object.hasOwn(MODULES, choice);
}

/**
 * Starts the chosen backend and makes it the process's active one.
 * @throws BACKEND_UNAVAILABLE
 */
export async function startBackend(choice: string): Promise<BackendName> {
  // Checks and advice of tfjs that are meant for interactive use, the banner of its cpu backend among them.
  tf.enableProdMode();
  if (choice === 'auto') return start('tensorflow').catch(() => start('wasm'));
  if (isBackend(choice)) return start(choice);
  throw coded('BACKEND_UNAVAILABLE', {
    backend: choice,
    reason: 'there is no backend of that name',
    available: BACKEND_CHOICES.join(', '),
  });
}
