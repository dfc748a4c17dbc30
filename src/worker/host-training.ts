/** Training in shared memory itself: averaged gradient, clipping and optimizer, all in place. */
import type { RunConfig } from '../shared/config/schema.js';
import { coded } from '../shared/errors.js';
import type { ParameterLayout } from '../shared/model/parameter-layout.js';
import { createAccumulator } from './collective/accumulator.js';
import type { SumKernels } from './collective/gradient-accumulator.js';
import type { ComputeEngine } from './engine/engine.js';
import { clipFactor, scaleExactGradient, scaleFloatGradient } from './optimizer/gradient-scaling.js';
import { createOptimizer } from './optimizer/optimizer.js';
import type { Training, UpdatePlan } from './training.js';
import type { TrainingState } from './training-state.js';

export interface TrainingParts {
  readonly config: RunConfig;
  readonly layout: ParameterLayout;
  readonly state: TrainingState;
  readonly engine: ComputeEngine;
}

/** @param kernels do the work, to the same bits, where they are built */
export function hostTraining(parts: TrainingParts, kernels: SumKernels | undefined): Training {
  const { config, layout, state, engine } = parts;
  const { weights, moments, shared } = state;
  const optimizer = createOptimizer(config, layout, kernels);
  const gradient = new Float32Array(layout.length);
  const show = (): void => engine.loadWeights(weights);

  const update = ({ exponents, samples, step, learningRate }: UpdatePlan): number => {
    const { norm, notFinite } =
      shared.kind === 'exact'
        ? scaleExactGradient(new Int32Array(shared.reduced), exponents, samples, layout, gradient, kernels)
        : scaleFloatGradient(new Float32Array(shared.reduced), samples, layout, gradient, kernels);
    if (notFinite !== null) throw coded('GRADIENT_NOT_FINITE', { tensor: notFinite, step });
    optimizer.step({
      weights,
      gradient,
      state: moments,
      lr: learningRate,
      stepNumber: step,
      clipFactor: clipFactor(norm, config.clipNorm),
    });
    show();
    return norm;
  };

  return {
    accumulator: createAccumulator(shared.kind, layout, shared.mine, kernels),
    resume: show,
    reload: () => {
      show();
      return Promise.resolve();
    },
    dispose: () => undefined,
    update: (plan) => new Promise((settle) => settle(update(plan))),
  };
}
