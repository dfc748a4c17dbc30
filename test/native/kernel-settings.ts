/** The kernels under test, at every level and number of threads; or why there are none. */
import { test } from 'node:test';
import { loadKernels } from '../../src/worker/engine/native/addon.js';
import { deviceKernels, type DeviceKernels } from '../../src/worker/engine/native/kernel-api/device-exact.js';
import type { Kernels } from '../../src/worker/engine/native/kernel-api.js';

/** Of which results must be independent. */
const THREADS = [1, 2];

type Run = (kernels: Kernels) => void | Promise<void>;

/** A test of the kernels that is skipped, with the reason, where they are not built. */
export function kernelTest(name: string, run: Run): void {
  const loaded = loadKernels();
  if (loaded.kernels === undefined) test(name, { skip: loaded.reason });
  else test(name, () => run(loaded.kernels));
}

/** A test of what a GPU's addon does not do: compute on arrays of the host, by levels and threads. */
export function onProcessorOnly(name: string, run: Run): void {
  const { kernels } = loadKernels();
  const skip = 'computes on memory of the host: not on a GPU, nor on the emulator';
  if (kernels !== undefined && deviceKernels(kernels) !== undefined) test(name, { skip });
  else kernelTest(name, run);
}

/** A test of what only an addon for GPUs does, on a GPU or on the emulator. */
export function onDeviceOnly(
  name: string,
  run: (kernels: Kernels, device: DeviceKernels) => void | Promise<void>,
): void {
  const { kernels } = loadKernels();
  const device = kernels === undefined ? undefined : deviceKernels(kernels);
  if (device !== undefined) test(name, () => run(kernels!, device));
  else test(name, { skip: 'computes on memory of a GPU: VITRAIL_NATIVE names no addon for one' });
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
