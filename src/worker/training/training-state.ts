/**
 * A worker's weights, optimizer state and gradient sums in shared memory, where all threads read them in
 * place.
 */
import type { RunConfig } from '../../run/config/schema.js';
import { trainedLayout } from '../../run/model/trained-parameters.js';
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import type { SharedState } from '../link/link-contract.js';
import { stateNamesOf, type OptimizerState } from '../optimizer/optimizer.js';

export interface TrainingState {
  /** In layout order. */
  readonly weights: Float32Array;
  readonly moments: OptimizerState;
  readonly shared: SharedState;
}

/** Memory for a run's state, all zeros. Sums and moments are those of the parameters that are trained. */
export function allocateTrainingState(config: RunConfig, layout: ParameterLayout): TrainingState {
  const stateNames = stateNamesOf(config);
  const memory = ({ length }: ParameterLayout): SharedArrayBuffer => new SharedArrayBuffer(length * 4);
  const trained = trainedLayout(layout, config.freeze);
  const parts: Record<string, SharedArrayBuffer> = { weights: memory(layout) };
  // Evaluation needs the moving average of all parameters.
  for (const name of stateNames) parts[name] = memory(name === 'ema' ? layout : trained);
  const view = (name: string): Float32Array => new Float32Array(parts[name]!);
  return {
    weights: view('weights'),
    moments: Object.fromEntries(stateNames.map((name) => [name, view(name)])),
    shared: { kind: config.reduction, mine: memory(trained), reduced: memory(trained), parts },
  };
}
