/** Training in place in shared memory: averaged gradient, clipping and optimizer. */
import { coded } from '../../errors/errors.js';
import { createAccumulator } from '../../collective/sums/accumulator.js';
import type { SumKernels } from '../../collective/sums/gradient-accumulator.js';
import { trainedLayout } from '../../run/model/trained-parameters.js';
import type { ComputeEngine } from '../../nn/engine/engine.js';
import { vectorOf } from '../../collective/sums/vector.js';
import { clipFactor, scaleGradient, scalesOf } from '../optimizer/gradient-scaling.js';
import { createOptimizer } from '../optimizer/optimizer.js';
import { averagedWeights, type Training, type TrainingServices, type UpdatePlan } from './training.js';

/** The part of the engine that it needs: loading weights. */
type HostTrainingServices = Omit<TrainingServices, 'engine'> & {
  readonly engine: Pick<ComputeEngine, 'loadWeights'>;
};

/** @param kernels do the work if they are built, with the same bits */
export function hostTraining(services: HostTrainingServices, kernels: SumKernels | undefined): Training {
  const { config, layout, state, engine } = services;
  const { weights, moments, shared } = state;
  const trained = trainedLayout(layout, config.freeze);
  const start = layout.length - trained.length;
  const trainedWeights = weights.subarray(start);
  const trainedMoments =
    moments.ema === undefined ? moments : { ...moments, ema: moments.ema.subarray(start) };
  const optimizer = createOptimizer(config, trained, kernels);
  const reduced = vectorOf(shared.kind, shared.reduced);
  const gradient = new Float32Array(trained.length);
  const show = (which: 'weights' | 'ema'): void =>
    engine.loadWeights(which === 'ema' ? averagedWeights(moments.ema) : weights);

  const update = ({ exponents, samples, step, learningRate }: UpdatePlan): number => {
    const scales = scalesOf(shared.kind, exponents, samples, trained.slots);
    const { norm, notFinite } = scaleGradient(reduced, scales, trained, gradient, kernels);
    if (notFinite !== null) throw coded('GRADIENT_NOT_FINITE', { tensor: notFinite, step });
    optimizer.step({
      weights: trainedWeights,
      gradient,
      state: trainedMoments,
      lr: learningRate,
      stepNumber: step,
      clipFactor: clipFactor(norm, config.clipNorm),
    });
    show('weights');
    return norm;
  };

  return {
    accumulator: createAccumulator(shared.kind, trained, shared.mine, kernels),
    show,
    reload: () => {
      show('weights');
      return Promise.resolve();
    },
    dispose: () => undefined,
    update: (plan) => new Promise((settle) => settle(update(plan))),
  };
}
