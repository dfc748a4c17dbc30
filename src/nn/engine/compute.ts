/** The options by which a process computes, and the interface to its backend. */
import type * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '../fused/device.js';
import type { VitParts } from '../vit/pass.js';
import type { GradientTensor } from '../../kernels/gradient-tensor.js';
import type { GpuKernels } from '../../kernels/kernel-api.js';
import type { TensorMaker } from '../tensor-maker.js';

export interface ComputeOptions {
  /** One of BACKEND_CHOICES. */
  readonly backend: string;
  /** The GPU of the native backend; null or missing for the processor. */
  readonly gpu?: number | null;
  /**
   * fp32 if missing. bf16 is for operands and activations, with fp32 sums and weights; only on the native
   * backend.
   */
  readonly precision?: Precision;
  /** Threads of the native backend; 0 or missing for one on each processor. Results do not depend on it. */
  readonly threads?: number;
  /** Use plain tfjs ops even if there are fused kernels, for comparison. */
  readonly composed?: boolean;
  /**
   * On a GPU, a table of algorithms that `vitrail tune` has written; null or missing for the library's first
   * proposals.
   */
  readonly productChoices?: string | null;
  /** On a GPU, time the library's proposals for each new gemm and choose the fastest. */
  readonly tune?: boolean;
}

export interface Compute {
  /** Equal for two processes if the bits of their results are equal. */
  readonly identity: string;
  readonly parts: VitParts;
  /** The kernels of the GPU, for everything else that is done there; undefined on a processor. */
  readonly gpu?: GpuKernels;
  readonly tensors: TensorMaker;
  /** A tensor of the active backend in the form that accumulators take. */
  readonly gradientOf: (gradient: tf.Tensor) => GradientTensor;
}
