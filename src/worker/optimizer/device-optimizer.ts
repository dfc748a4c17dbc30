/** The optimizers on a GPU, with one launch for all parameters and the same bits as on the host. */
import { coded } from '../../errors/errors.js';
import { deviceLayout } from '../../run/model/device-layout.js';
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import type { DeviceExactKernels } from '../../kernels/kernel-api/device-exact.js';
import type { DeviceBuffer } from '../../kernels/kernel-api/memory.js';
import { adamStep, decayOf, type OptimizerConfig, type OptimizerStep } from './optimizer.js';

/** The buffers of an update, all in the layout of the GPU. */
export interface DeviceOptimizerBuffers {
  readonly weights: DeviceBuffer;
  /** The averaged gradient before clipping. */
  readonly gradient: DeviceBuffer;
  /** By the names of `StateName`. */
  readonly state: Readonly<Record<string, DeviceBuffer>>;
  /** bf16: a copy of the weights that is kept up to date. */
  readonly shadow: DeviceBuffer | undefined;
}

/** @returns one update in place */
export function deviceOptimizer(
  config: OptimizerConfig,
  layout: ParameterLayout,
  kernels: DeviceExactKernels,
  { weights, gradient, state, shadow }: DeviceOptimizerBuffers,
): (step: Pick<OptimizerStep, 'lr' | 'stepNumber' | 'clipFactor'>) => void {
  const { offsets, length } = deviceLayout(layout);
  const { slots } = layout;
  const buffer = (name: string): DeviceBuffer => {
    const found = state[name];
    if (found === undefined) throw coded('INTERNAL', { reason: `optimizer: no buffer ${name}` });
    return found;
  };
  const decays = Float64Array.from(slots, (slot) => decayOf(config, slot));
  const none = new Float64Array(slots.length);
  const decoupled = config.optimizer === 'adamw';
  const common = {
    offsets: Float64Array.from(offsets),
    lengths: Float64Array.from(slots, (slot) => slot.length),
    weights,
    gradient,
    ...(shadow === undefined ? {} : { shadow }),
  };
  return (step) => {
    if (config.optimizer === 'sgd') {
      const { lr, clipFactor } = step;
      kernels.momentumUpdate({
        ...common,
        momentumBuffer: buffer('momentum'),
        weightDecays: decays,
        lr,
        momentum: config.momentum,
        clipFactor,
      });
    } else {
      kernels.adamUpdate({
        ...common,
        expAvg: buffer('exp_avg'),
        expAvgSq: buffer('exp_avg_sq'),
        ...adamStep(config, step),
        coupledDecays: decoupled ? none : decays,
        decoupledDecays: decoupled ? decays : none,
      });
    }
    if (config.emaDecay > 0) {
      kernels.averageUpdate({ average: buffer('ema'), weights, offset: 0, length, decay: config.emaDecay });
    }
  };
}
