/** `fit`: the largest micro-batch that fits a GPU's memory, from the peaks of one image and of two. */
import { surveyGpus } from '../nn/engine/gpus.js';
import { largestMicroBatch, USABLE_SHARE } from '../nn/engine/memory-fit.js';
import type { RunConfig } from '../run/config/schema.js';
import { parameterLayout } from '../run/model/parameter-layout.js';
import type { GpuModel } from './machine/gpu-model.js';

export interface FitOptions extends GpuModel {
  /** adamw if missing. */
  readonly optimizer?: RunConfig['optimizer'] | undefined;
  /** 0 if missing. */
  readonly emaDecay?: number | undefined;
  readonly recompute?: boolean | undefined;
}

/** What `vitrail fit` prints. */
export interface Fit {
  /** 0 if not even one image fits. */
  readonly microBatch: number;
  /** The GPU's number. */
  readonly device: number;
  readonly memoryBytes: number;
  /** Peaks in bytes; null if that did not fit. */
  readonly peakOfOne: number | null;
  readonly peakOfTwo: number | null;
}

/**
 * Measures in this process, which keeps some of the GPU's memory until it ends. `train` with `microBatch: 'auto'`
 * measures in a process of its own.
 * @throws VitrailError: DEVICE_UNUSABLE, DEVICE_TOO_SMALL, MODEL_*
 */
export async function fit(options: FitOptions): Promise<Fit> {
  const { optimizer = 'adamw', emaDecay = 0, recompute = false } = options;
  // tfjs takes long to load, and programs that only train do not need it in this process.
  const { onGpu } = await import('./machine/on-gpu.js');
  const { deviceStateBytes } = await import('../worker/training/device-state.js');
  const engineOptions = { dropout: 0.1, recompute };
  return onGpu(options, 'memory is measured', engineOptions, ({ engine, spec, gpu }): Fit => {
    const [one, two] = [engine.peakBytes(1), engine.peakBytes(2)];
    const memoryBytes = surveyGpus().devices.find(({ ordinal }) => ordinal === gpu)!.memoryBytes;
    const stateBytes = deviceStateBytes({ optimizer, emaDecay }, parameterLayout(spec));
    const microBatch = largestMicroBatch(USABLE_SHARE * memoryBytes - stateBytes, one, two);
    const peak = (bytes: number): number | null => (Number.isFinite(bytes) ? bytes : null);
    return { microBatch, device: gpu, memoryBytes, peakOfOne: peak(one), peakOfTwo: peak(two) };
  });
}
