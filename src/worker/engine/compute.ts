/** What a process computes with. */
import type * as tf from '@tensorflow/tfjs-core';
import type { VitParts } from '../model/pass.js';
import type { GradientTensor } from './gradient-tensor.js';
import type { GpuKernels } from './native/kernel-api.js';
import type { Placement } from './placement.js';

export interface Compute {
  /** Equal where the bits of results are equal. */
  readonly identity: string;
  readonly parts: VitParts;
  /** Where it computes on a GPU: its kernels, for all else that is done there. */
  readonly gpu?: GpuKernels;
  readonly placement: Placement;
  /** A tensor of the active backend as what accumulators take. */
  readonly gradientOf: (gradient: tf.Tensor) => GradientTensor;
}
