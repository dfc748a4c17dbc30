/** The accumulator that a run's reduction asks for. */
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import { ExactAccumulator } from './exact-accumulator.js';
import { Fp32Accumulator } from './fp32-accumulator.js';
import type { GradientAccumulator, SumKernels } from './gradient-accumulator.js';
import { vectorOf } from './vector.js';

/**
 * @param memory layout.length x 4 bytes: the accumulator's sums lie there
 * @param kernels do the work, to the same bits, where they are given
 */
export function createAccumulator(
  kind: 'exact' | 'fp32',
  layout: ParameterLayout,
  memory: SharedArrayBuffer,
  kernels?: SumKernels,
): GradientAccumulator {
  return kind === 'exact'
    ? new ExactAccumulator(layout, vectorOf(kind, memory), kernels)
    : new Fp32Accumulator(layout, vectorOf(kind, memory), kernels);
}
