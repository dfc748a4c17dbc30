/**
 * What a device must be able to do for vitrail: the CPU kernels and the CUDA kernels stand behind this interface.
 * It knows nothing of tfjs. A kernel takes one object; buffers are checked for length and storage, and a call that does
 * not fit throws a TypeError that names the field. Kernels of a processor run to their end before they return; those of
 * a GPU run one after the other, in the order of the calls, and `read` waits for them. Results are the same bits from run to run and on any number of threads; they may differ from one level of processor to another.
 */
import type { ActivationKernels } from './kernel-api/activation.js';
import type { AttentionKernels } from './kernel-api/attention.js';
import type { DeviceCopyKernels } from './kernel-api/device-copies.js';
import type { DeviceExactKernels } from './kernel-api/device-exact.js';
import type { ExactKernels } from './kernel-api/exact.js';
import type { GemmKernels } from './kernel-api/gemm.js';
import type { LossKernels } from './kernel-api/loss.js';
import type { GpuSettings, HostMemoryKernels, MemoryKernels } from './kernel-api/memory.js';
import type { NormKernels } from './kernel-api/norm.js';
import type { PlainKernels } from './kernel-api/plain.js';
import type { GemmLibraryKernels } from './kernel-api/gemm-library.js';
import type { TokenKernels } from './kernel-api/tokens.js';

/** What every device can do. */
export type DeviceKernels = MemoryKernels &
  GemmKernels &
  ActivationKernels &
  NormKernels &
  AttentionKernels &
  TokenKernels &
  LossKernels &
  PlainKernels;

/** A processor's. */
export type Kernels = DeviceKernels & HostMemoryKernels & ExactKernels;

/** A GPU's. */
export type GpuKernels = DeviceKernels &
  GpuSettings &
  DeviceExactKernels &
  DeviceCopyKernels &
  GemmLibraryKernels;

export function isGpu(kernels: DeviceKernels): kernels is GpuKernels {
  return 'devices' in kernels;
}

export { ACTIVATION, type Activation } from './kernel-api/gemm.js';
export { GELU_FORM } from './kernel-api/activation.js';
export { STORAGE, type DeviceBuffer, type Storage } from './kernel-api/memory.js';
