/** `openTrainedModel`: a run's or checkpoint's model, to evaluate or to predict with. */
import { nodeDisk } from '../host/disk.js';
import type { RunConfig } from '../run/config/schema.js';
import { openRunCheckpoint } from '../run/folder/run-checkpoint.js';
import { engineFor, trainedModel } from './trained/open-model.js';
import type { TrainedModel } from './trained-model.js';

export interface OpenOptions {
  /** `auto` where missing: tensorflow where that is installed, else native where it is built, else wasm. */
  readonly backend?: RunConfig['backend'];
  /** Told of checkpoints that do not verify and are passed over, and of figures that may differ from the run's own. */
  readonly onNote?: (text: string) => void;
}

/**
 * Opens the best checkpoint of a run folder (the newest where none is the best), or a checkpoint's folder. The moving
 * average of the weights is used where there is one. Close the model when it is no longer needed.
 * @throws VitrailError: CHECKPOINT_*, BACKEND_*, MODEL_*
 */
export async function openTrainedModel(path: string, options: OpenOptions = {}): Promise<TrainedModel> {
  const { backend = 'auto', onNote = () => undefined } = options;
  const { checkpoint, stored, spec } = await openRunCheckpoint(nodeDisk, path, (rejected, error) =>
    onNote(`${rejected} does not verify: ${error.problem}`),
  );
  const engine = await engineFor(Object.assign({}, stored.config, { spec, backend }), onNote);
  engine.loadWeights(checkpoint.slots['ema'] ?? checkpoint.weights);
  return trainedModel(checkpoint.path, { stored, engine });
}
