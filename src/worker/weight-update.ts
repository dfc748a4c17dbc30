/** A committed step's update: averaged gradient, clipping, optimizer, all in place. */
import type { RunConfig } from '../shared/config/schema.js';
import { coded } from '../shared/errors.js';
import type { ParameterLayout } from '../shared/model/parameter-layout.js';
import type { Body } from '../shared/protocol/codec.js';
import type { ComputeEngine } from './engine/engine.js';
import { clipFactor, scaleExactGradient, scaleFloatGradient } from './optimizer/gradient-scaling.js';
import type { TrainingState } from './training-state.js';

export interface UpdateParts {
  readonly config: RunConfig;
  readonly layout: ParameterLayout;
  readonly state: TrainingState;
  readonly engine: ComputeEngine;
}

/**
 * Applies the reduced gradient of `plan`'s step to weights and moments.
 * @returns global norm of the averaged gradient before clipping
 * @throws GRADIENT_NOT_FINITE
 */
export function applyUpdate({ config, layout, state, engine }: UpdateParts, plan: Body<'stepPlan'>): number {
  const { gradient, weights, moments, shared } = state;
  const { norm, notFinite } =
    shared.kind === 'exact'
      ? scaleExactGradient(new Int32Array(shared.reduced), plan.exponents, plan.samples, layout, gradient)
      : scaleFloatGradient(new Float32Array(shared.reduced), plan.samples, layout, gradient);
  if (notFinite !== null) throw coded('GRADIENT_NOT_FINITE', { tensor: notFinite, step: plan.step });
  state.optimizer.step({
    weights,
    gradient,
    state: moments,
    lr: plan.learningRate,
    stepNumber: plan.step,
    clipFactor: clipFactor(norm, config.clipNorm),
  });
  engine.loadWeights(weights);
  return norm;
}
