/** The kernels under test, at every level and number of threads; or why there are none. */
import { test } from 'node:test';
import { loadKernels } from '../../src/kernels/addon.js';
import { isGpu, type DeviceKernels, type GpuKernels, type Kernels } from '../../src/kernels/kernel-api.js';

/** Whether the kernels under test are a GPU's on the emulator: some hundred times slower than any other. */
export const EMULATED = loadKernels().kernels?.levels()[0] === 'emulated';

/** Numbers of threads, of which results must be independent. The emulator has none to set. */
export const THREADS: readonly number[] = EMULATED ? [1] : [1, 2];

type Body = (kernels: Kernels) => void | Promise<void>;

/** A test of the kernels that is skipped, with the reason, where they are not built. */
export function kernelTest(name: string, run: Body): void {
  const loaded = loadKernels();
  if (loaded.kernels === undefined) test(name, { skip: loaded.reason });
  else test(name, () => run(loaded.kernels));
}

/** The addon's functions on a GPU's memory; undefined where it computes on a processor. */
export function gpuKernels(kernels: DeviceKernels | undefined): GpuKernels | undefined {
  return kernels !== undefined && isGpu(kernels) ? kernels : undefined;
}

/**
 * The skip option of a test of what kernels can only do on a processor: look at labels and indices before they start,
 * work on memory of the host, use threads.
 */
export function processorSkip(): string | false {
  const loaded = loadKernels();
  if (loaded.kernels === undefined) return loaded.reason;
  return gpuKernels(loaded.kernels) !== undefined && 'only on a processor: these kernels are for a GPU';
}

/** The skip option of a test of what kernels do on a GPU, or on the emulator of one, and nowhere else. */
export function gpuSkip(): string | false {
  const loaded = loadKernels();
  if (loaded.kernels === undefined) return loaded.reason;
  return gpuKernels(loaded.kernels) === undefined && 'only on a GPU: VITRAIL_NATIVE names no addon for one';
}

/** As kernelTest, for what kernels can only do on a processor: see processorSkip. */
export function onProcessorOnly(name: string, run: Body): void {
  const skip = processorSkip();
  if (skip === false) kernelTest(name, run);
  else test(name, { skip });
}

/** A test of what only an addon for GPUs does, on a GPU or on the emulator. */
export function onDeviceOnly(
  name: string,
  run: (kernels: Kernels, device: GpuKernels) => void | Promise<void>,
): void {
  const { kernels } = loadKernels();
  const device = gpuKernels(kernels);
  if (device !== undefined) test(name, () => run(kernels!, device));
  else test(name, { skip: gpuSkip() });
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
