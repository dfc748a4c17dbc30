/** TensorFlow's package for tfjs: an optional one, which needs a TensorFlow library for the platform. */
import { createRequire } from 'node:module';
import { coded, type VitrailError } from '../../errors/errors.js';

export const TENSORFLOW_PACKAGE = '@tensorflow/tfjs-node-gpu';

/** Whether it is there. It is not loaded, and need not load. */
export function tensorflowInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve(TENSORFLOW_PACKAGE);
    return true;
  } catch {
    return false;
  }
}

/** What is said where it is asked for and is not there. */
export function tensorflowMissing(): VitrailError {
  return coded('BACKEND_NOT_INSTALLED', {
    backend: 'tensorflow',
    package: TENSORFLOW_PACKAGE,
    command: `npm install ${TENSORFLOW_PACKAGE}`,
  });
}
