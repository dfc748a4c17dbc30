/** The tfjs backends that model tests run on; one that this machine lacks is skipped with the reason. */
import { test } from 'node:test';
import { startBackend } from '../../src/nn/backend/backend.js';
import { loadKernels } from '../../src/kernels/addon.js';
import { isGpu } from '../../src/kernels/kernel-api.js';

const native = loadKernels();

/** Where the kernels under test are a GPU's, which has a pass of its own, the other backends have had theirs. */
const OTHERS = native.kernels !== undefined && isGpu(native.kernels) ? [] : (['wasm', 'cpu'] as const);

interface TestedBackend {
  readonly backend: 'wasm' | 'cpu' | 'native';
  /** Why it is skipped. */
  readonly skip: string | false;
}

export const TESTED_BACKENDS: readonly TestedBackend[] = [
  ...OTHERS.map((backend): TestedBackend => ({ backend, skip: false })),
  { backend: 'native', skip: native.kernels === undefined ? native.reason : false },
];

/** For tests that compute much. */
export const FAST_BACKENDS = TESTED_BACKENDS.filter(({ backend }) => backend !== 'cpu');

/** A test on each of them; `body` finds the backend started. */
export function testOnBackends(
  name: string,
  body: (backend: string) => void | Promise<void>,
  backends = TESTED_BACKENDS,
): void {
  for (const { backend, skip } of backends) {
    test(`${name} (${backend})`, { skip }, async () => {
      await startBackend(backend);
      await body(backend);
    });
  }
}
