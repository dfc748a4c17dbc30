/** A checkpoint's model, ready to evaluate or predict in this process. */
import { nodeDisk } from '../../host/disk.js';
import { openRunCheckpoint, type StoredRun } from '../../run/folder/run-checkpoint.js';
import { VitrailError } from '../../errors/errors.js';
import { ComputeEngine, type EngineOptions } from '../../nn/engine/engine.js';
import type { ModelSpec } from '../../run/model/model-spec.js';

export interface TrainedModel {
  readonly path: string;
  readonly step: number;
  readonly stored: StoredRun;
  readonly spec: ModelSpec;
  readonly engine: ComputeEngine;
}

/** In the run's own precision, where the backend has it: weights are fp32 whatever the precision. */
async function engineFor(options: EngineOptions): Promise<ComputeEngine> {
  try {
    return await ComputeEngine.create(options);
  } catch (error) {
    if (!(error instanceof VitrailError) || error.code !== 'PRECISION_UNSUPPORTED') throw error;
    process.stderr.write(`${error.problem}: fp32 is used, figures may differ a little from the run's own\n`);
    return ComputeEngine.create({ ...options, precision: 'fp32' });
  }
}

/** Opens a checkpoint or run folder; its moving average of the weights is used where it has one. @throws CHECKPOINT_* */
export async function openTrainedModel(path: string, backend: string): Promise<TrainedModel> {
  const { checkpoint, stored, spec } = await openRunCheckpoint(nodeDisk, path, (rejected, error) => {
    process.stderr.write(`${rejected} does not verify: ${error.problem}\n`);
  });
  const engine = await engineFor({ ...stored.config, spec, backend });
  engine.loadWeights(checkpoint.slots['ema'] ?? checkpoint.weights);
  return { path: checkpoint.path, step: stored.run.step, stored, spec, engine };
}
