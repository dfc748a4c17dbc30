/** The kernels under test, at every level and number of threads; or why there are none. */
import { test } from 'node:test';
import { loadKernels } from '../../src/worker/engine/native/addon.js';
import type { Kernels } from '../../src/worker/engine/native/kernel-api.js';

/** Of which results must be independent. */
const THREADS = [1, 2];

type Body = (kernels: Kernels) => void | Promise<void>;

/** A test of the kernels that is skipped, with the reason, where they are not built. */
export function kernelTest(name: string, run: Body): void {
  const loaded = loadKernels();
  if (loaded.kernels === undefined) test(name, { skip: loaded.reason });
  else test(name, () => run(loaded.kernels));
}

function skipUnless(wanted: 'GPU' | 'processor'): string | false {
  const loaded = loadKernels();
  if (loaded.kernels === undefined) return loaded.reason;
  const [level] = loaded.kernels.levels();
  const found = level === 'emulated' || level?.startsWith('sm_') === true ? 'GPU' : 'processor';
  return found !== wanted && `this is about kernels on a ${wanted}, these run on a ${found} (${level})`;
}

/**
 * The skip option of a test of what kernels can only do on a processor: look at labels and indices before they start,
 * work on memory of the host, use threads.
 */
export function processorSkip(): string | false {
  return skipUnless('processor');
}

/** The skip option of a test of what kernels do on a GPU, or on the emulator of one, and nowhere else. */
export function gpuSkip(): string | false {
  return skipUnless('GPU');
}

/** The skip option of a test of what only a GPU's kernels do. */
export function gpuSkip(): string | false {
  const loaded = loadKernels();
  if (loaded.kernels === undefined) return loaded.reason;
  return !runsOnGpu(loaded.kernels) && 'the kernels run on a processor, this is for a GPU';
}

/** As kernelTest, for what kernels can only do on a processor: see processorSkip. */
export function onProcessorOnly(name: string, run: Body): void {
  const skip = processorSkip();
  if (skip === false) kernelTest(name, run);
  else test(name, { skip });
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
