/** The arrays that training keeps in a GPU's memory. */
import { deviceLayout } from '../../run/model/device-layout.js';
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import { stateNamesOf, type OptimizerConfig } from '../optimizer/optimizer.js';

/**
 * Two arrays of 4 bytes a parameter: the sums of this worker, and those of all workers, which become the
 * gradient.
 */
const SUMS = 2;

/** Bytes of moments, moving average and sums, without the weights and their bf16 copy. */
export function deviceStateBytes(
  config: Pick<OptimizerConfig, 'optimizer' | 'emaDecay'>,
  layout: ParameterLayout,
): number {
  return 4 * deviceLayout(layout).length * (stateNamesOf(config).length + SUMS);
}
