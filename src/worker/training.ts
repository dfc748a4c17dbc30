/** Where a worker's sums, weights and optimizer state are worked on: in shared memory, or on a GPU that mirrors it. */
import type { Body } from '../shared/protocol/codec.js';
import type { GradientAccumulator } from './collective/gradient-accumulator.js';

/** What an update follows from besides the gradient. */
export type UpdatePlan = Pick<Body<'stepPlan'>, 'step' | 'exponents' | 'samples' | 'learningRate'>;

export interface Training {
  /** Its sums go to shared memory when it settles. */
  readonly accumulator: GradientAccumulator;
  /** Weights or optimizer state in shared memory have been written to: computing goes on from them. */
  reload(): Promise<void>;
  /** The engine computes with the run's own weights again. */
  resume(): void;
  /**
   * Applies the reduced gradient of `plan`'s step; shared memory holds the new state when it settles.
   * @returns global norm of the averaged gradient before clipping
   * @throws GRADIENT_NOT_FINITE
   */
  update(plan: UpdatePlan): Promise<number>;
  /** Gives back what it holds besides shared memory. */
  dispose(): void;
}
