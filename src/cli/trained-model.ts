/** A checkpoint's model, ready to evaluate or predict in this process. */
import { openRunCheckpoint, type StoredRun } from '../coordinator/run-checkpoint.js';
import { ComputeEngine } from '../worker/engine/engine.js';
import type { ModelSpec } from '../shared/model/model-spec.js';

export interface TrainedModel {
  readonly path: string;
  readonly step: number;
  readonly stored: StoredRun;
  readonly spec: ModelSpec;
  readonly engine: ComputeEngine;
}

/** Opens a checkpoint or run folder; its moving average of the weights is used where it has one. @throws CHECKPOINT_* */
export async function openTrainedModel(path: string, backend: string): Promise<TrainedModel> {
  const { checkpoint, stored, spec } = await openRunCheckpoint(path, (rejected, error) => {
    process.stderr.write(`${rejected} does not verify: ${error.problem}\n`);
  });
  const engine = await ComputeEngine.create({ ...stored.config, spec, backend });
  engine.loadWeights(checkpoint.slots['ema'] ?? checkpoint.weights);
  return { path: checkpoint.path, step: stored.run.step, stored, spec, engine };
}
