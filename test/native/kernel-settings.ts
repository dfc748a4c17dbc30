/** The kernels under test, at every level and number of threads; or why there are none. */
import { test } from 'node:test';
import { loadKernels } from '../../src/worker/engine/native/addon.js';
import type { Kernels } from '../../src/worker/engine/native/kernel-api.js';

/** Of which results must be independent. */
const THREADS = [1, 2];

/** A test of the kernels that is skipped, with the reason, where they are not built. */
export function kernelTest(name: string, run: (kernels: Kernels) => void | Promise<void>): void {
  const loaded = loadKernels();
  if (loaded.kernels === undefined) test(name, { skip: loaded.reason });
  else test(name, () => run(loaded.kernels));
}

/** Runs `body` in every setting; `setting` is for messages. */
export function inEverySetting(kernels: Kernels, body: (setting: string) => void): void {
  const before = kernels.configure({});
  try {
    for (const level of kernels.levels()) {
      for (const threads of THREADS) {
        kernels.configure({ level, threads });
        body(`${level}, ${threads} threads`);
      }
    }
  } finally {
    kernels.configure(before);
  }
}
