/** `tune`: times the algorithms for a model's matrix products on a GPU and writes the fastest to a file. */
import { writeGemmChoices } from '../kernels/gemm-choices.js';
import type { GpuModel } from './machine/gpu-model.js';

export interface TuneOptions extends GpuModel {
  /** As for `train`, 64 if missing. */
  readonly microBatch?: number | undefined;
  /** As for `train`, where it decides what is fused; 0 if missing. */
  readonly dropout?: number | undefined;
  /** The file to write, for the option `productChoices`. */
  readonly out: string;
}

export interface Tuning {
  /** Products that the file has an algorithm for. */
  readonly products: number;
  /** The backend and its GPU, as a run names them. */
  readonly backend: string;
}

/** @throws VitrailError: DEVICE_UNUSABLE, DEVICE_TOO_SMALL, DEVICE_OUT_OF_MEMORY, MODEL_* */
export async function tune(options: TuneOptions): Promise<Tuning> {
  const { imageSize = 224, microBatch = 64, dropout = 0, out } = options;
  // tfjs takes long to load, and programs that only train do not need it in this process.
  const { onGpu } = await import('./machine/on-gpu.js');
  const engineOptions = { dropout, recompute: false, tune: true };
  return onGpu(options, 'products are tuned', engineOptions, async ({ engine }) => {
    const batch = {
      pixels: new Uint8Array(microBatch * imageSize * imageSize * 3).fill(100),
      flips: new Uint8Array(microBatch),
      labels: new Int32Array(microBatch),
    };
    await engine.trainMicroBatch(batch, { step: 0, microBatch: 0 }, () => undefined);
    await engine.evaluateMicroBatch(batch);
    const choices = engine.gpu!.gemmChoices();
    writeGemmChoices(out, choices);
    return { products: choices.length, backend: engine.backend };
  });
}
