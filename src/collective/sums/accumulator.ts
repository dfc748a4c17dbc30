/** Chooses the accumulator for a run's `--reduction`. */
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import { ExactAccumulator } from './exact-accumulator.js';
import { Fp32Accumulator } from './fp32-accumulator.js';
import type { GradientAccumulator, SumKernels } from './gradient-accumulator.js';
import { vectorOf } from './vector.js';

/**
 * @param memory layout.length x 4 bytes, where the accumulator keeps its sums
 * @param kernels do the work if they are given, with the same bits
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
