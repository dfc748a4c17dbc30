/** All tfjs kernels of the native backend. */
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { RESHAPE_KERNELS } from './reshape.js';

export function kernelConfigs(): KernelConfig[] {
  return [...RESHAPE_KERNELS];
}
