/**
 * The interface that the CPU kernels and the CUDA kernels implement. It knows nothing of tfjs. A kernel takes
 * one object. Buffers are checked for length and storage, and a call that does not fit throws a TypeError
 * that names the field. Kernels of a processor are finished when they return. Those of a GPU run one after
 * the other, in the order of the calls, and `read` waits for them. Results have the same bits in every run
 * and on any number of threads, but may differ between levels of processor.
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

/** The kernels of every device. */
export type DeviceKernels = MemoryKernels &
  GemmKernels &
  ActivationKernels &
  NormKernels &
  AttentionKernels &
  TokenKernels &
  LossKernels &
  PlainKernels;

/** The kernels of a processor. */
export type Kernels = DeviceKernels & HostMemoryKernels & ExactKernels;

/** The kernels of a GPU. */
export type GpuKernels = DeviceKernels &
  GpuSettings &
  DeviceExactKernels &
  DeviceCopyKernels &
  GemmLibraryKernels;

/** Whether the kernels are those of a GPU. */
export function isGpu(kernels: DeviceKernels): kernels is GpuKernels {
  return 'devices' in kernels;
}

export { ACTIVATION, type Activation } from './kernel-api/gemm.js';
export { GELU_FORM } from './kernel-api/activation.js';
export { STORAGE, type DeviceBuffer, type Storage } from './kernel-api/memory.js';
