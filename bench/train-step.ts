/** A worker's training step without its neighbours: forward, backward, quantise, scale back, clip, AdamW. */
import { resolveConfig } from '../src/run/config/config.js';
import { repeatExponents, stepExponents } from '../src/numbers/exact/exponents.js';
import { modelSpec, type ModelSpec } from '../src/run/model/model-spec.js';
import { parameterLayout } from '../src/run/model/parameter-layout.js';
import { trainingOn } from '../src/worker/training/training-choice.js';
import { planDevice } from '../src/nn/engine/device.js';
import { ComputeEngine } from '../src/nn/engine/engine.js';
import { THIS_MACHINE } from '../src/nn/engine/gpus.js';
import { initialWeights } from '../src/nn/vit/initialisation.js';
import { initialiseState } from '../src/worker/optimizer/optimizer.js';
import { allocateTrainingState } from '../src/worker/training/training-state.js';

export interface StepSetting {
  readonly model: string;
  readonly imageSize: number;
  readonly classes: number;
  readonly batch: number;
  readonly precision: 'fp32' | 'bf16';
  readonly gelu: 'erf' | 'tanh';
  readonly backend: string;
  readonly threads: number;
  /** The same as --device of a worker. */
  readonly device: string;
  /** Micro-batches of a step. */
  readonly accumulate: number;
  /** As --product-choices. */
  readonly productChoices: string | null;
}

export interface StepRunner {
  readonly spec: ModelSpec;
  readonly parameters: number;
  /** Most memory in use on a GPU so far, in bytes; 0 on a processor. */
  peakDeviceBytes(): number;
  /** Runs steps; returns the last one's mean loss. */
  run(steps: number): Promise<number>;
}

/** `accumulate` micro-batches of `batch` images a step, dropout 0.1, AdamW with decay 0.1, clipping at 1; images are keyed noise. */
export async function openStepRunner(setting: StepSetting): Promise<StepRunner> {
  const { model, imageSize, classes, batch, precision, gelu, threads, device, accumulate, productChoices } =
    setting;
  const { backend, gpu } = planDevice(device, setting.backend, THIS_MACHINE);
  const flags = { data: 'none', model, imageSize, batch, dropout: 0.1, optimizer: 'adamw', weightDecay: 0.1 };
  const config = resolveConfig({ flags: { ...flags, microBatch: batch, clipNorm: 1, backend, precision } });
  const spec = modelSpec(model, { imageSize, classes, gelu });
  const layout = parameterLayout(spec);
  const engine = await ComputeEngine.create({ ...config, spec, threads, gpu, productChoices });
  const state = allocateTrainingState(config, layout);
  const { weights, moments, shared } = state;
  weights.set(initialWeights(spec, 'torchvision', 1));
  initialiseState(config, moments, weights);
  const training = trainingOn({ config, layout, state, engine });
  await training.reload();
  const { accumulator } = training;
  const slotIndex = new Map(layout.slots.map((slot, index) => [slot.name, index]));
  const micro = {
    pixels: Uint8Array.from({ length: batch * imageSize * imageSize * 3 }, (_, i) => (i * 2654435761) % 255),
    flips: new Uint8Array(batch),
    labels: Int32Array.from({ length: batch }, (_, i) => i % classes),
  };
  // Exponents with enough room for any gradient.
  let exponents = stepExponents(new Float32Array(layout.slots.length).fill(100), accumulate);
  let stepNumber = 0;

  const step = async (): Promise<number> => {
    accumulator.begin(exponents, accumulate);
    let lossSum = 0;
    for (let microBatch = 0; microBatch < accumulate; microBatch++) {
      const last = microBatch === accumulate - 1;
      const result = await engine.trainMicroBatch(micro, { step: stepNumber, microBatch }, (slot, values) =>
        accumulator.add(slotIndex.get(slot.name)!, values, last),
      );
      lossSum += result.lossSum;
    }
    await accumulator.settle();
    // There is one worker, so the reduced sum is its own.
    new Int32Array(shared.reduced).set(new Int32Array(shared.mine));
    const samples = batch * accumulate;
    const plan = { exponents: [...exponents], samples, step: stepNumber, learningRate: 1e-3 };
    await training.update(plan);
    exponents = repeatExponents(
      accumulator.maxima.map((maximum) => Math.max(16 * maximum, 1e-20)),
      accumulate,
    );
    stepNumber++;
    return lossSum / samples;
  };
  const run = async (steps: number): Promise<number> => {
    let loss = NaN;
    for (let i = 0; i < steps; i++) loss = await step();
    engine.gpu?.synchronise();
    return loss;
  };
  return {
    spec,
    parameters: layout.length,
    run,
    peakDeviceBytes: () => engine.gpu?.memory().peakBytesTaken ?? 0,
  };
}
