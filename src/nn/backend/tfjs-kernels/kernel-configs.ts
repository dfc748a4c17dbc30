/** All tfjs kernels of the native backend. */
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { ARRANGE_KERNELS } from './arrange.js';
import { BINARY_KERNELS } from './binary.js';
import { MAT_MUL_KERNELS } from './mat-mul.js';
import { REDUCE_KERNELS } from './reduce.js';
import { RESHAPE_KERNELS } from './reshape.js';
import { SELECT_KERNELS } from './select.js';
import { SLICE_KERNELS } from './slice.js';
import { UNARY_KERNELS } from './unary.js';

export function kernelConfigs(): KernelConfig[] {
  return [
    ...[...RESHAPE_KERNELS, ...UNARY_KERNELS, ...BINARY_KERNELS, ...REDUCE_KERNELS],
    ...[...SELECT_KERNELS, ...SLICE_KERNELS, ...ARRANGE_KERNELS, ...MAT_MUL_KERNELS],
  ];
}
