/** The optimizers on a GPU, with one launch for all parameters of a learning rate and the same bits as on the host. */
import { coded } from '../../errors/errors.js';
import { deviceLayout } from '../../run/model/device-layout.js';
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import type { DeviceExactKernels } from '../../kernels/kernel-api/device-exact.js';
import type { DeviceBuffer } from '../../kernels/kernel-api/memory.js';
import { rateScales } from './learning-rate-scale.js';
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
  const decays = slots.map((slot) => decayOf(config, slot));
  const decoupled = config.optimizer === 'adamw';
  const buffers = shadow === undefined ? { weights, gradient } : { weights, gradient, shadow };
  const scales = rateScales(config, layout);
  const groups = [...new Set(scales)].map((scale) => {
    const members = [...slots.keys()].filter((i) => scales[i] === scale);
    const of = (values: readonly number[]): Float64Array => Float64Array.from(members, (i) => values[i]!);
    const ranges = { offsets: of(offsets), lengths: of(slots.map((slot) => slot.length)) };
    return { scale, ranges, decays: of(decays), none: new Float64Array(members.length) };
  });
  return (step) => {
    for (const { scale, ranges, decays: ofGroup, none } of groups) {
      const lr = step.lr * scale;
      if (config.optimizer === 'sgd') {
        kernels.momentumUpdate({
          ...buffers,
          ...ranges,
          momentumBuffer: buffer('momentum'),
          weightDecays: ofGroup,
          lr,
          momentum: config.momentum,
          clipFactor: step.clipFactor,
        });
      } else {
        kernels.adamUpdate({
          ...buffers,
          ...ranges,
          expAvg: buffer('exp_avg'),
          expAvgSq: buffer('exp_avg_sq'),
          ...adamStep(config, step),
          lr,
          coupledDecays: decoupled ? none : ofGroup,
          decoupledDecays: decoupled ? ofGroup : none,
        });
      }
    }
    if (config.emaDecay > 0) {
      kernels.averageUpdate({ average: buffer('ema'), weights, offset: 0, length, decay: config.emaDecay });
    }
  };
}
