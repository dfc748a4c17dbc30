/** The common part of `fit` and `tune`: the model of a run on a GPU of this machine. */
import { Option, type Command } from 'commander';
import { coded } from '../../errors/errors.js';
import { modelSpec, type ModelSpec } from '../../run/model/model-spec.js';
import { planDevice } from '../../nn/engine/device.js';
import { ComputeEngine, type EngineOptions } from '../../nn/engine/engine.js';
import { THIS_MACHINE } from '../../nn/engine/gpus.js';
import { initialWeights } from '../../nn/vit/initialisation.js';
import { wholeNumber } from '../whole-number.js';

export interface GpuFlags {
  readonly model: string;
  readonly imageSize: number;
  readonly classes: number;
  readonly precision: 'fp32' | 'bf16';
  readonly gelu: 'tanh' | 'erf';
  readonly device: string;
}

export function addGpuFlags(command: Command): Command {
  return command
    .requiredOption('--model <name>', 'as for train')
    .option('--image-size <pixels>', 'as for train', wholeNumber(1), 224)
    .option('--classes <n>', 'classes of the data set', wholeNumber(1), 1000)
    .addOption(new Option('--precision <precision>').choices(['fp32', 'bf16']).default('bf16'))
    .addOption(new Option('--gelu <form>', 'as for train').choices(['tanh', 'erf']).default('tanh'))
    .option('--device <device>', 'GPU, as cuda:N', 'cuda:0');
}

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
  { model, imageSize, classes, precision, gelu, device }: GpuFlags,
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
