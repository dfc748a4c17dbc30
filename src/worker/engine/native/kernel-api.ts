/**
 * What a device must be able to do for vitrail: the CPU kernels stand behind this interface, and the CUDA kernels will.
 * It knows nothing of tfjs. A kernel takes one object; buffers are checked for length and storage, and a call that does
 * not fit throws a TypeError that names the field. Kernels run to their end before they return. Results are the same
 * bits from run to run and on any number of threads; they may differ from one level of processor to another.
 */
import type { ActivationKernels } from './kernel-api/activation.js';
import type { AttentionKernels } from './kernel-api/attention.js';
import type { ExactKernels } from './kernel-api/exact.js';
import type { GemmKernels } from './kernel-api/gemm.js';
import type { LossKernels } from './kernel-api/loss.js';
import type { MemoryKernels } from './kernel-api/memory.js';
import type { NormKernels } from './kernel-api/norm.js';
import type { PlainKernels } from './kernel-api/plain.js';
import type { TokenKernels } from './kernel-api/tokens.js';

export type Kernels = MemoryKernels &
  GemmKernels &
  ActivationKernels &
  NormKernels &
  AttentionKernels &
  TokenKernels &
  LossKernels &
  ExactKernels &
  PlainKernels;

export { ACTIVATION, type Activation } from './kernel-api/gemm.js';
export { GELU_FORM } from './kernel-api/activation.js';
export { STORAGE, type DeviceBuffer, type Storage } from './kernel-api/memory.js';
