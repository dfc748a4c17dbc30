/** A small engine with weights and a batch of keyed random images. */
import { modelSpec, patchCount, patchLength, type ModelSpec } from '../../src/run/model/model-spec.js';
import { KeyedRandom, PURPOSE } from '../../src/numbers/random/keyed-random.js';
import { ComputeEngine } from '../../src/nn/engine/engine.js';
import type { EngineOptions } from '../../src/nn/engine/engine-options.js';
import type { MicroBatch } from '../../src/nn/engine/micro-batch-pass.js';
import type { PatchInput } from '../../src/nn/model-input.js';
import { initialWeights } from '../../src/nn/vit/initialisation.js';

export const SPEC: ModelSpec = {
  ...modelSpec('micro/8', { imageSize: 32, classes: 4 }),
  layers: 2,
  hidden: 32,
  mlp: 64,
};

export function batchOf(images: number, spec = SPEC): PatchInput & MicroBatch {
  const random = new KeyedRandom(3, PURPOSE.demo);
  const length = images * patchCount(spec) * patchLength(spec);
  return {
    patches: Float32Array.from({ length }, () => 2 * random.uniform() - 1),
    labels: Int32Array.from({ length: images }, (_, i) => i % spec.classes),
  };
}

/** Initial weights with a head that is not zero, so that every gradient is alive. */
export function liveWeights(spec = SPEC): Float32Array {
  const random = new KeyedRandom(9, PURPOSE.demo);
  return initialWeights(spec, 'timm', 1).map((value) => value + 0.05 * random.normal());
}

export async function engineWith(options: Partial<EngineOptions> = {}): Promise<ComputeEngine> {
  return ComputeEngine.create({
    backend: 'wasm',
    spec: SPEC,
    dropout: 0,
    labelSmoothing: 0,
    recompute: false,
    seed: 5,
    ...options,
  });
}

export interface Step {
  readonly lossSum: number;
  readonly correct: number;
  /** Flat, in the order of the parameter layout. */
  readonly gradient: Float32Array;
}

/** One micro-batch's loss and flat gradient. */
export async function stepOf(
  engine: ComputeEngine,
  batch: MicroBatch,
  parameters: number,
  position = { step: 0, microBatch: 0 },
): Promise<Step> {
  const gradient = new Float32Array(parameters);
  const { lossSum, correct } = await engine.trainMicroBatch(batch, position, (slot, values) => {
    gradient.set(values.hostValues(), slot.offset);
  });
  return { lossSum, correct, gradient };
}
