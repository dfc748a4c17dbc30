/** `openTrainedModel`: opens the model of a run or checkpoint, for evaluation and prediction. */
import { nodeDisk } from '../host/disk.js';
import type { RunConfig } from '../run/config/schema.js';
import { isForeign } from '../run/checkpoint/foreign-checkpoint.js';
import { openRunCheckpoint } from '../run/folder/run-checkpoint.js';
import { localWeights } from '../weights/hub/system-hub.js';
import { engineFor, trainedModel } from './trained/open-model.js';
import { publishedWeights } from './trained/published-weights.js';
import type { TrainedModel } from './trained-model.js';

export interface OpenOptions {
  /** If missing, `auto`: tensorflow if that is installed, else native if it is built, else wasm. */
  readonly backend?: RunConfig['backend'];
  /** Called for checkpoints that are damaged and skipped, if figures may differ from the run's own, and for what is assumed. */
  readonly onNote?: (text: string) => void;
}

/**
 * Opens the best checkpoint of a run folder (the newest one if none is the best), or a checkpoint's folder. If there is a
 * moving average of the weights, that is used. Opens weights of other programs as well, and exported models: a file, a
 * folder, or `hf:OWNER/NAME`, if it is in the cache. Close the model when it is no longer needed.
 * @throws VitrailError: CHECKPOINT_*, WEIGHTS_*, PREPROCESSING_UNSUPPORTED, HUB_NOT_CACHED, BACKEND_*, MODEL_*
 */
export async function openTrainedModel(path: string, options: OpenOptions = {}): Promise<TrainedModel> {
  const { backend = 'auto', onNote = () => undefined } = options;
  const place = await localWeights(path);
  if (await isForeign(nodeDisk, place)) {
    const { stored, spec, weights, assumed } = await publishedWeights(nodeDisk, place);
    if (assumed !== null) onNote(assumed);
    const engine = await engineFor(Object.assign({}, stored.config, { spec, backend }), onNote);
    engine.loadWeights(weights);
    return trainedModel(place, { stored, engine });
  }
  const { checkpoint, stored, spec } = await openRunCheckpoint(nodeDisk, place, (rejected, error) =>
    onNote(`${rejected} does not verify: ${error.problem}`),
  );
  const engine = await engineFor(Object.assign({}, stored.config, { spec, backend }), onNote);
  engine.loadWeights(checkpoint.slots['ema'] ?? checkpoint.weights);
  return trainedModel(checkpoint.path, { stored, engine });
}
