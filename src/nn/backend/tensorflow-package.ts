/** Finds TensorFlow's package for tfjs, which is optional and needs a TensorFlow library for the platform. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { coded, type VitrailError } from '../../errors/errors.js';

export const TENSORFLOW_PACKAGE = '@tensorflow/tfjs-node-gpu';

/**
 * Whether it is there with its compiled part, which an installation without install scripts leaves out: every process
 * would spend a second on loading the rest of it. It is not loaded, and need not load.
 * @param from the file or URL from which it is looked for
 */
export function tensorflowInstalled(from = import.meta.url): boolean {
  try {
    const library = join(dirname(createRequire(from).resolve(TENSORFLOW_PACKAGE)), '../lib');
    return readdirSync(library, { recursive: true, encoding: 'utf8' }).some((name) =>
      name.endsWith('tfjs_binding.node'),
    );
  } catch {
    return false;
  }
}

/** The error if it is asked for but not installed. */
export function tensorflowMissing(): VitrailError {
  return coded('BACKEND_NOT_INSTALLED', {
    backend: 'tensorflow',
    package: TENSORFLOW_PACKAGE,
    command: `npm install ${TENSORFLOW_PACKAGE}`,
  });
}
