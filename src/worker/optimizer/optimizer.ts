/** The optimizers of a run behind one interface: AdamW, Adam, SGD with momentum, and a moving average of the weights. */
import type { RunConfig } from '../../run/config/schema.js';
import { coded } from '../../errors/errors.js';
import type { ParameterLayout, ParameterSlot } from '../../run/model/parameter-layout.js';
import type { AdamCoefficients, ExactKernels } from '../../kernels/kernel-api/exact.js';
import { adamUpdate } from './adam-update.js';
import { integerPower } from './integer-power.js';
import { rateScales, type RateOptions } from './learning-rate-scale.js';
import { momentumUpdate } from './momentum-update.js';

export type OptimizerConfig = Pick<
  RunConfig,
  'optimizer' | 'beta1' | 'beta2' | 'eps' | 'momentum' | 'weightDecay' | 'decayOn' | 'emaDecay'
> &
  RateOptions;

/** torch.optim's names; `ema` is the moving average of the weights. */
export type StateName = 'exp_avg' | 'exp_avg_sq' | 'momentum' | 'ema';

/** One float32 array of the layout's length by name; it may lie on a SharedArrayBuffer. */
export type OptimizerState = Readonly<Partial<Record<StateName, Float32Array>>>;

export interface OptimizerStep {
  /** In layout order; updated in place. */
  readonly weights: Float32Array;
  /** Averaged gradient before clipping, in layout order; only read. */
  readonly gradient: Float32Array;
  readonly state: OptimizerState;
  /** Learning rate of this update. */
  readonly lr: number;
  /** The run's step, from 0: bias correction uses stepNumber + 1 updates. */
  readonly stepNumber: number;
  /** Multiplies the gradient before anything else; 1 for no clipping. */
  readonly clipFactor: number;
}

export interface Optimizer {
  /** One update in place; the same inputs give the same bits on every machine. */
  step(step: OptimizerStep): void;
}

/** The names of the arrays that are a run's state. */
export function stateNamesOf({
  optimizer,
  emaDecay,
}: Pick<OptimizerConfig, 'optimizer' | 'emaDecay'>): readonly StateName[] {
  const moments: StateName[] = optimizer === 'sgd' ? ['momentum'] : ['exp_avg', 'exp_avg_sq'];
  return emaDecay > 0 ? [...moments, 'ema'] : moments;
}

/**
 * Sets the state of a new run: zeros, and `ema` to the weights.
 * @param trained the number of parameters that have moments
 * @throws INTERNAL if an array is missing or has another length than the weights
 */
export function initialiseState(
  config: Pick<OptimizerConfig, 'optimizer' | 'emaDecay'>,
  state: OptimizerState,
  weights: Float32Array,
  trained = weights.length,
): void {
  for (const name of stateNamesOf(config)) {
    const array = stateArray(state, name, name === 'ema' ? weights : { length: trained });
    if (name === 'ema') array.set(weights);
    else array.fill(0);
  }
}

/** The numbers of an update that are the same for all parameters. */
export function adamStep(
  { beta1, beta2, eps }: OptimizerConfig,
  { lr, stepNumber, clipFactor }: Pick<OptimizerStep, 'lr' | 'stepNumber' | 'clipFactor'>,
): Omit<AdamCoefficients, 'coupledDecay' | 'decoupledDecay'> {
  return {
    lr,
    beta1,
    beta2,
    eps,
    clipFactor,
    firstCorrection: 1 / (1 - integerPower(beta1, stepNumber + 1)),
    secondCorrection: 1 / Math.sqrt(1 - integerPower(beta2, stepNumber + 1)),
  };
}

/** Weight decay of a parameter. */
export function decayOf({ decayOn, weightDecay }: OptimizerConfig, slot: ParameterSlot): number {
  return decayOn === 'all' || slot.kind === 'kernel' ? weightDecay : 0;
}

type Update = (step: OptimizerStep, slot: ParameterSlot, weightDecay: number) => void;

function adam(config: OptimizerConfig, layout: ParameterLayout, kernels: ExactKernels | undefined): Update {
  const decoupled = config.optimizer === 'adamw';
  return (step, { offset, length }, weightDecay) => {
    const { weights, gradient, state } = step;
    const expAvg = stateArray(state, 'exp_avg', layout);
    const expAvgSq = stateArray(state, 'exp_avg_sq', layout);
    const arrays = { weights, gradient, expAvg, expAvgSq };
    const by = {
      ...adamStep(config, step),
      coupledDecay: decoupled ? 0 : weightDecay,
      decoupledDecay: decoupled ? weightDecay : 0,
    };
    if (kernels === undefined) adamUpdate(arrays, offset, offset + length, by);
    else kernels.adamUpdate({ ...arrays, offset, length, ...by });
  };
}

function sgd(config: OptimizerConfig, layout: ParameterLayout, kernels: ExactKernels | undefined): Update {
  return ({ weights, gradient, state, lr, clipFactor }, { offset, length }, weightDecay) => {
    const momentumBuffer = stateArray(state, 'momentum', layout);
    const arrays = { weights, gradient, momentumBuffer };
    const by = { lr, momentum: config.momentum, clipFactor, weightDecay };
    if (kernels === undefined) momentumUpdate(arrays, offset, offset + length, by);
    else kernels.momentumUpdate({ ...arrays, offset, length, ...by });
  };
}

/** average = decay average + (1 - decay) weights */
export function averageUpdate(average: Float32Array, weights: Float32Array, decay: number): void {
  for (let i = 0; i < average.length; i++) average[i] = decay * average[i]! + (1 - decay) * weights[i]!;
}

/** A layout, or an array of one. */
interface Counted {
  readonly length: number;
}

function checkLength(name: string, array: Float32Array | undefined, all: Counted): Float32Array {
  if (array?.length === all.length) return array;
  const found = array === undefined ? 'no array' : `${array.length} elements`;
  throw coded('INTERNAL', { reason: `optimizer: ${name} has ${found} for ${all.length} parameters` });
}

function stateArray(state: OptimizerState, name: StateName, all: Counted): Float32Array {
  return checkLength(name, state[name], all);
}

/**
 * The optimizer of a run. `decayOn: 'kernels'` decays slots of kind `kernel` only, `'all'` every parameter.
 * @param kernels do the work if they are given, with the same bits
 * @throws INTERNAL from its functions if an array is missing or has another length than the layout
 */
export function createOptimizer(
  config: OptimizerConfig,
  layout: ParameterLayout,
  kernels?: ExactKernels,
): Optimizer {
  const averaged = config.emaDecay > 0;
  const stateNames = stateNamesOf(config);
  const scales = rateScales(config, layout);
  const update = config.optimizer === 'sgd' ? sgd(config, layout, kernels) : adam(config, layout, kernels);

  return {
    step(step) {
      checkLength('weights', step.weights, layout);
      checkLength('gradient', step.gradient, layout);
      for (const name of stateNames) stateArray(step.state, name, layout);
      for (const [i, slot] of layout.slots.entries()) {
        update({ ...step, lr: step.lr * scales[i]! }, slot, decayOf(config, slot));
      }
      if (!averaged) return;
      const { weights } = step;
      const average = stateArray(step.state, 'ema', layout);
      if (kernels === undefined) averageUpdate(average, weights, config.emaDecay);
      else kernels.averageUpdate({ average, weights, decay: config.emaDecay });
    },
  };
}
