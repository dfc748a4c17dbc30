/** What a worker's engine is made of. */
import type { ModelSpec } from '../../run/model/model-spec.js';
import type { Transform } from '../../run/model/preprocessing.js';
import type { ComputeOptions } from './compute.js';

export interface EngineOptions extends ComputeOptions {
  readonly spec: ModelSpec;
  /** Decides, with `mean` and `std`, what pixel values stand for; paper if missing. */
  readonly transform?: Transform;
  readonly mean?: string | null;
  readonly std?: string | null;
  /** Probability of zeroing an element, in [0, 1). */
  readonly dropout: number;
  /** Probability of dropping a branch of a sample in the last block, in [0, 1); 0 if missing. */
  readonly dropPath?: number;
  /** What is not trained; null or missing for nothing. */
  readonly freeze?: string | null;
  /** Probability mass spread over all classes, in [0, 1). */
  readonly labelSmoothing: number;
  /** Keep only the input of each encoder block, and compute the block again in the backward pass. */
  readonly recompute: boolean;
  readonly seed: number;
}
