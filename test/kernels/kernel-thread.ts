/** A thread that uses the native kernels on its own; it ends without releasing what it holds. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { loadKernels } from '../../src/kernels/addon.js';
import { GELU_FORM } from '../../src/kernels/kernel-api/activation.js';
import { STORAGE } from '../../src/kernels/kernel-api/memory.js';
import type { Kernels } from '../../src/kernels/kernel-api.js';
import { bitsOf, floats } from './float-samples.js';

const LENGTH = 100_003;

/** Some rounds of work that follows from `seed` alone. */
export function laboured(kernels: Kernels, seed: number): Int32Array {
  const sums = new Int32Array(LENGTH);
  const values = floats(LENGTH, seed, 'normal');
  for (let round = 0; round < 10; round++) {
    const x = kernels.wrap({ values });
    const gradient = kernels.allocate({ length: LENGTH, storage: STORAGE.f32 });
    kernels.geluForward({ x, y: gradient, length: LENGTH, form: GELU_FORM.erf });
    const range = { offset: 0, length: LENGTH };
    kernels.quantiseAdd({ gradient, sums, ...range, scale: 2 ** 20, limit: 2 ** 31 - 1, microBatches: 1 });
    kernels.release(x);
    kernels.release(gradient);
  }
  return sums;
}

export interface ThreadTask {
  readonly seed: number;
  readonly threads: number;
}

export interface ThreadReport {
  readonly sums: Int32Array;
  readonly blocksInUse: number;
  /** As the other threads do not see it. */
  readonly bits: Int32Array;
}

if (!isMainThread) {
  const { seed, threads } = workerData as ThreadTask;
  const { kernels } = loadKernels();
  if (kernels === undefined) throw new Error('no kernels in this thread');
  kernels.configure({ threads });
  const sums = laboured(kernels, seed);
  const { blocksInUse } = kernels.memory();
  const kept = kernels.allocate({ length: 3, storage: STORAGE.f32 });
  const values = Float32Array.of(seed, -0, NaN);
  kernels.write({ buffer: kept, values });
  kernels.wrap({ values });
  const report: ThreadReport = { sums, blocksInUse, bits: bitsOf(values) };
  parentPort?.postMessage(report);
}
