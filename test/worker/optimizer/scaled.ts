/** Reduced sums of either kind to averaged gradients. */
import type { ParameterLayout } from '../../../src/run/model/parameter-layout.js';
import type { ExactKernels } from '../../../src/kernels/kernel-api/exact.js';
import {
  scaleGradient,
  scalesOf,
  type ScaledGradient,
} from '../../../src/worker/optimizer/gradient-scaling.js';

export function scaleExactGradient(
  q: Int32Array,
  exponents: ArrayLike<number>,
  samples: number,
  layout: ParameterLayout,
  out: Float32Array,
  kernels?: ExactKernels,
): ScaledGradient {
  return scaleGradient(q, scalesOf('exact', exponents, samples, layout.slots), layout, out, kernels);
}

export function scaleFloatGradient(
  sums: Float32Array,
  samples: number,
  layout: ParameterLayout,
  out: Float32Array,
  kernels?: ExactKernels,
): ScaledGradient {
  return scaleGradient(sums, scalesOf('fp32', [], samples, layout.slots), layout, out, kernels);
}
