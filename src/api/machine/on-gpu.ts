/** The common part of `fit` and `tune`: the model of a new run on a GPU of this machine. */
import { coded } from '../../errors/errors.js';
import { planDevice } from '../../nn/engine/device.js';
import { ComputeEngine } from '../../nn/engine/engine.js';
import type { EngineOptions } from '../../nn/engine/engine-options.js';
import { THIS_MACHINE } from '../../nn/engine/gpus.js';
import { initialWeights } from '../../nn/vit/initialisation.js';
import { modelSpec, type ModelSpec } from '../../run/model/model-spec.js';
import type { GpuModel } from './gpu-model.js';

export interface GpuWork {
  readonly engine: ComputeEngine;
  readonly spec: ModelSpec;
  /** The GPU's number. */
  readonly gpu: number;
}

/**
 * Computes with the model and weights of a new run.
 * @param purpose what needs a GPU, for the error
 * @throws DEVICE_UNUSABLE, DEVICE_TOO_SMALL
 */
export async function onGpu<T>(
  { model, imageSize = 224, classes = 1000, precision = 'bf16', gelu = 'tanh', device = 'cuda:0' }: GpuModel,
  purpose: string,
  options: Pick<EngineOptions, 'dropout' | 'recompute' | 'tune'>,
  work: (by: GpuWork) => T | Promise<T>,
): Promise<T> {
  const spec = modelSpec(model, { imageSize, classes, gelu });
  const { backend, gpu } = planDevice(device, 'native', THIS_MACHINE);
  if (gpu === null) throw coded('DEVICE_UNUSABLE', { device, reason: `${purpose} on a GPU only` });
  const engine = await ComputeEngine.create({
    backend,
    gpu,
    spec,
    precision,
    seed: 1,
    labelSmoothing: 0,
    ...options,
  });
  try {
    engine.loadWeights(initialWeights(spec, 'timm', 1));
    return await work({ engine, spec, gpu });
  } finally {
    engine.dispose();
  }
}
