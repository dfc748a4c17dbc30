/** What a process computes with. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '../fused/device.js';
import type { VitParts } from '../vit/pass.js';
import type { GradientTensor } from '../../kernels/gradient-tensor.js';
import type { GpuKernels } from '../../kernels/kernel-api.js';
import type { Placement } from '../placement.js';

export interface ComputeOptions {
  /** One of BACKEND_CHOICES. */
  readonly backend: string;
  /** The GPU of the native backend; null or missing: the processor. */
  readonly gpu?: number | null;
  /** fp32 where missing. bf16: operands and activations, with fp32 sums and weights; on the native backend only. */
  readonly precision?: Precision;
  /** Of the native backend; 0 or missing: one for each processor. Results do not depend on it. */
  readonly threads?: number;
  /** Plain tfjs ops even where there are fused kernels: for comparison. */
  readonly composed?: boolean;
  /** On a GPU: a table of algorithms that `vitrail tune` has written; null or missing: the library's first proposals. */
  readonly productChoices?: string | null;
  /** On a GPU: choose the fastest of the library's proposals as products come. */
  readonly tune?: boolean;
}

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
