/** A thread that starts copies from a device and then has nothing else to do, or ends at once. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { loadKernels } from '../../src/kernels/addon.js';
import { STORAGE } from '../../src/kernels/kernel-api/memory.js';
import { gpuKernels } from './kernel-settings.js';

export interface CopyTask {
  readonly does: 'waits' | 'leaves';
}

const LENGTH = 1 << 20;
const COPIES = 16;

if (!isMainThread) {
  const { does } = workerData as CopyTask;
  const { kernels } = loadKernels();
  const device = gpuKernels(kernels);
  if (kernels === undefined || device === undefined) throw new Error('no device in this thread');
  const values = new Float32Array(new SharedArrayBuffer(4 * LENGTH));
  const buffer = kernels.allocate({ length: LENGTH, storage: STORAGE.f32 });
  device.registerHost({ array: values });
  const copies = Array.from({ length: COPIES }, () =>
    device.readRange({ buffer, offset: 0, length: LENGTH, values, valuesOffset: 0 }),
  );
  if (does === 'leaves') process.exit(0);
  void Promise.all(copies).then(() => parentPort?.postMessage('copied'));
}
