/** Tests of a GPU's products by its library; skipped, with the reason, where kernels are a processor's. */
import { test } from 'node:test';
import { loadKernels } from '../../src/kernels/addon.js';
import { type GemmLibraryKernels } from '../../src/kernels/kernel-api/gemm-library.js';
import { computedBy } from './gemm-case.js';
import { KernelDevice } from './kernel-device.js';
import { isGpu } from '../../src/kernels/kernel-api.js';

const { kernels, reason } = { reason: '', ...loadKernels() };
const gpu = kernels !== undefined && isGpu(kernels) ? kernels : undefined;
const SKIP = gpu ? false : reason || 'a processor computes products itself';

/** Nothing is chosen before; nothing stays chosen after. */
export function testGpuGemms(
  name: string,
  body: (device: KernelDevice, products: GemmLibraryKernels) => void,
): void {
  test(name, { skip: SKIP }, () => {
    const device = new KernelDevice(gpu!, gpu!.levels()[0]!, 1);
    const before = gpu!.configure({ tune: false, tf32: false });
    gpu!.setGemmChoices({ choices: [] });
    try {
      computedBy('library', device, () => {
        body(device, gpu!);
      });
    } finally {
      device.releaseAll();
      gpu!.setGemmChoices({ choices: [] });
      gpu!.configure(before);
    }
  });
}
