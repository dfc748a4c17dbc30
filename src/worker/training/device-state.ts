/** The arrays that training keeps in a GPU's memory. */
import { deviceLayout } from '../../run/model/device-layout.js';
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import { stateNamesOf, type OptimizerConfig } from '../optimizer/optimizer.js';

/** In 4 bytes a parameter each: the sums of this worker, and those of all, which become the gradient. */
const SUMS = 2;

/** Bytes besides the weights and their copy for products: moments, moving average, sums. */
export function deviceStateBytes(
  config: Pick<OptimizerConfig, 'optimizer' | 'emaDecay'>,
  layout: ParameterLayout,
): number {
  return 4 * deviceLayout(layout).length * (stateNamesOf(config).length + SUMS);
}
