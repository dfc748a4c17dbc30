/** Keeps the engine of a trained model while the model is open. */
import { coded, VitrailError } from '../../errors/errors.js';
import type { ComputeEngine } from '../../nn/engine/engine.js';
import type { EngineOptions } from '../../nn/engine/engine-options.js';
import type { TrainedModel } from '../trained-model.js';
import type { StoredRun } from '../../run/folder/run-checkpoint.js';

/** The private parts of an open model. */
export interface OpenModel {
  readonly stored: StoredRun;
  readonly engine: ComputeEngine;
}

const open = new WeakMap<TrainedModel, OpenModel>();

/** The private parts of `model`. @throws MODEL_CLOSED */
export function openModel(model: TrainedModel): OpenModel {
  const found = open.get(model);
  if (found === undefined) throw coded('MODEL_CLOSED', { path: model.path });
  return found;
}

/** @param path of the checkpoint's folder */
export function trainedModel(path: string, behind: OpenModel): TrainedModel {
  const { stored, engine } = behind;
  const model: TrainedModel = Object.freeze({
    path,
    step: stored.run.step,
    classes: Object.freeze([...stored.classes]),
    config: stored.config,
    close: () => {
      if (open.delete(model)) engine.dispose();
    },
  });
  open.set(model, behind);
  return model;
}

/** Computes in the run's own precision if the backend has it. (Weights are fp32 in every precision.) */
export async function engineFor(
  options: EngineOptions,
  onNote: (text: string) => void,
): Promise<ComputeEngine> {
  // tfjs takes half a second to load, and programs that only train do not need it.
  const { ComputeEngine: Engine } = await import('../../nn/engine/engine.js');
  try {
    return await Engine.create(options);
  } catch (error) {
    if (!(error instanceof VitrailError) || error.code !== 'PRECISION_UNSUPPORTED') throw error;
    onNote(`${error.problem}: fp32 is used, figures may differ a little from the run's own`);
    return Engine.create({ ...options, precision: 'fp32' });
  }
}
