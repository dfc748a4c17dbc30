/** The tfjs backends that model tests run on; one that this machine lacks is skipped with the reason. */
import { test } from 'node:test';
import { startBackend } from '../../src/nn/backend/backend.js';
import { loadKernels } from '../../src/kernels/addon.js';

const native = loadKernels();

export const TESTED_BACKENDS = [
  { backend: 'wasm', skip: false },
  { backend: 'cpu', skip: false },
  { backend: 'native', skip: native.kernels === undefined ? native.reason : false },
] as const;

/** For tests that compute much. */
export const FAST_BACKENDS = TESTED_BACKENDS.filter(({ backend }) => backend !== 'cpu');

/** A test on each of them; `body` finds the backend started. */
export function testOnBackends(
  name: string,
  body: (backend: string) => void | Promise<void>,
  backends: readonly (typeof TESTED_BACKENDS)[number][] = TESTED_BACKENDS,
): void {
  for (const { backend, skip } of backends) {
    test(`${name} (${backend})`, { skip }, async () => {
      await startBackend(backend);
      await body(backend);
    });
  }
}
