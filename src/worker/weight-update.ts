/** A committed step's update: averaged gradient, clipping, optimizer, all in place. */
import type { RunConfig } from '../shared/config/schema.js';
import { coded } from '../shared/errors.js';
import type { ParameterLayout } from '../shared/model/parameter-layout.js';
import type { Body } from '../shared/protocol/codec.js';
import type { ComputeEngine } from './engine/engine.js';
import type { ExactKernels } from './engine/native/kernel-api/exact.js';
import { clipFactor, scaleExactGradient, scaleFloatGradient } from './optimizer/gradient-scaling.js';
import type { TrainingState } from './training-state.js';

export interface UpdateParts {
  readonly config: RunConfig;
  readonly layout: ParameterLayout;
  readonly state: TrainingState;
  readonly engine: ComputeEngine;
  /** Undefined where they are not built. */
  readonly kernels: ExactKernels | undefined;
}

/**
 * Applies the reduced gradient of `plan`'s step to weights and moments.
 * @returns global norm of the averaged gradient before clipping
 * @throws GRADIENT_NOT_FINITE
 */
export function applyUpdate(parts: UpdateParts, plan: Body<'stepPlan'>): number {
  const { config, layout, state, engine, kernels } = parts;
  const { exponents, samples } = plan;
  const { gradient, weights, moments, shared } = state;
  const { norm, notFinite } =
    shared.kind === 'exact'
      ? scaleExactGradient(new Int32Array(shared.reduced), exponents, samples, layout, gradient, kernels)
      : scaleFloatGradient(new Float32Array(shared.reduced), samples, layout, gradient, kernels);
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
