/** A worker's training step without its neighbours: forward, backward, quantise, scale back, clip, AdamW. */
import { resolveConfig } from '../src/shared/config/config.js';
import { repeatExponents, stepExponents } from '../src/shared/exact/exponents.js';
import { modelSpec, patchCount, patchLength, type ModelSpec } from '../src/shared/model/model-spec.js';
import { parameterLayout } from '../src/shared/model/parameter-layout.js';
import { createAccumulator } from '../src/worker/collective/accumulator.js';
import { ComputeEngine } from '../src/worker/engine/engine.js';
import { loadKernels } from '../src/worker/engine/native/addon.js';
import { initialWeights } from '../src/worker/model/initialisation.js';
import { clipFactor, scaleExactGradient } from '../src/worker/optimizer/gradient-scaling.js';
import { allocateTrainingState } from '../src/worker/training-state.js';

export interface StepSetting {
  readonly model: string;
  readonly imageSize: number;
  readonly classes: number;
  readonly batch: number;
  readonly precision: 'fp32' | 'bf16';
  readonly backend: string;
  readonly threads: number;
}

export interface StepRunner {
  readonly spec: ModelSpec;
  readonly parameters: number;
  /** Runs steps; returns the last one's mean loss. */
  run(steps: number): number;
}

/** One micro-batch a step, dropout 0.1, AdamW with decay 0.1, clipping at 1; images are keyed noise. */
export async function openStepRunner(setting: StepSetting): Promise<StepRunner> {
  const { model, imageSize, classes, batch, precision, backend, threads } = setting;
  const flags = { data: 'none', model, imageSize, batch, dropout: 0.1, optimizer: 'adamw', weightDecay: 0.1 };
  const config = resolveConfig({ flags: { ...flags, microBatch: batch, clipNorm: 1, backend, precision } });
  const spec = modelSpec(model, { imageSize, classes, gelu: 'erf' });
  const layout = parameterLayout(spec);
  const engine = await ComputeEngine.create({ ...config, spec, threads });
  const { kernels } = loadKernels();
  const state = allocateTrainingState(config, layout, kernels);
  const { weights, moments, gradient, shared, optimizer } = state;
  weights.set(initialWeights(spec, 'torchvision', 1));
  optimizer.initialise(moments, weights);
  engine.loadWeights(weights);
  const accumulator = createAccumulator('exact', layout, shared.mine, kernels);
  const slotIndex = new Map(layout.slots.map((slot, index) => [slot.name, index]));
  const micro = {
    patches: Float32Array.from(
      { length: batch * patchCount(spec) * patchLength(spec) },
      (_, i) => ((i * 2654435761) % 255) / 127.5 - 1,
    ),
    labels: Int32Array.from({ length: batch }, (_, i) => i % classes),
  };
  // Of the first step as of a repeated one: wide enough for any gradient that can come.
  let exponents = stepExponents(new Float32Array(layout.slots.length).fill(100), 1);
  let stepNumber = 0;

  const step = (): number => {
    accumulator.begin(exponents, 1);
    const position = { step: stepNumber, microBatch: 0 };
    const { lossSum } = engine.trainMicroBatch(micro, position, (slot, values) =>
      accumulator.add(slotIndex.get(slot.name)!, values),
    );
    const { norm } = scaleExactGradient(
      new Int32Array(shared.mine),
      exponents,
      batch,
      layout,
      gradient,
      kernels,
    );
    const clip = clipFactor(norm, 1);
    optimizer.step({ weights, gradient, state: moments, lr: 1e-3, stepNumber, clipFactor: clip });
    engine.loadWeights(weights);
    exponents = repeatExponents(
      accumulator.maxima.map((maximum) => Math.max(16 * maximum, 1e-20)),
      1,
    );
    stepNumber++;
    return lossSum / batch;
  };
  const run = (steps: number): number => {
    let loss = NaN;
    for (let i = 0; i < steps; i++) loss = step();
    return loss;
  };
  return { spec, parameters: layout.length, run };
}
