/**
 * The interface to a worker's sums, weights and optimizer state, which are in shared memory or on a GPU that
 * mirrors it.
 */
import type { RunConfig } from '../../run/config/schema.js';
import { coded } from '../../errors/errors.js';
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import type { Body } from '../../wire/codec.js';
import type { GradientAccumulator } from '../../collective/sums/gradient-accumulator.js';
import type { ComputeEngine } from '../../nn/engine/engine.js';
import type { TrainingState } from './training-state.js';

/** The inputs of an update besides the gradient. */
export type UpdatePlan = Pick<Body<'stepPlan'>, 'step' | 'exponents' | 'samples' | 'learningRate'>;

/** The objects that training works with. */
export interface TrainingServices {
  readonly config: RunConfig;
  readonly layout: ParameterLayout;
  readonly state: TrainingState;
  readonly engine: ComputeEngine;
}

export interface Training {
  /** Its sums go to shared memory when it settles. */
  readonly accumulator: GradientAccumulator;
  /**
   * Has to be called after weights or optimizer state were written to shared memory, so that computing goes
   * on from them.
   */
  reload(): Promise<void>;
  /**
   * Makes the engine compute with the run's weights, or with their moving average. @throws INTERNAL without
   * one
   */
  show(which: 'weights' | 'ema'): void;
  /**
   * Applies the reduced gradient of `plan`'s step; shared memory holds the new state when it settles.
   * @returns global norm of the averaged gradient before clipping
   * @throws GRADIENT_NOT_FINITE
   */
  update(plan: UpdatePlan): Promise<number>;
  /** Releases everything it holds besides shared memory. */
  dispose(): void;
}

/** @throws INTERNAL for a run that keeps no moving average */
export function averagedWeights<T>(average: T | undefined): T {
  if (average === undefined) throw coded('INTERNAL', { reason: 'the run keeps no moving average' });
  return average;
}
