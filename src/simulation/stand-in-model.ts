/**
 * A small function of weights and samples in place of the network. Its gradients are summed exactly like real
 * ones.
 */
import type { Clock } from '../host/clock.js';
import { hostGradient } from '../kernels/gradient-tensor.js';
import type { ComputeEngine, TrainResult } from '../nn/engine/engine.js';
import type { GradientCallback, MicroBatchPosition } from '../nn/engine/micro-batch-pass.js';
import type { ParameterLayout } from '../run/model/parameter-layout.js';
import type { BatchRequest, MicroBatch } from '../worker/data/micro-batch.js';
import type { Loader } from '../worker/data/loader.js';

type Engine = Pick<ComputeEngine, 'backend' | 'loadWeights' | 'trainMicroBatch' | 'evaluateMicroBatch'>;

/** Time in which a micro-batch is computed, ms. */
export type Pace = () => number;

const BACKEND = 'simulated';

/** A number in [-1, 1) that is a pure function of the two arguments. */
function mixed(a: number, b: number): number {
  let hash = Math.imul(a + 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) / 2 ** 31 - 1;
}

/** A sample is just its number, which is in the micro-batch's labels. */
export function standInLoader(clock: Clock, pace: Pace): Pick<Loader, 'prefetch' | 'take' | 'ready'> {
  return {
    ready: 0,
    prefetch: () => undefined,
    take: async ({ samples }: BatchRequest): Promise<MicroBatch> => {
      await clock.delay(pace() / 4);
      return {
        pixels: new Uint8Array(0),
        flips: new Uint8Array(samples.length),
        labels: Int32Array.from(samples),
        count: samples.length,
      };
    },
  };
}

export function standInEngine(
  clock: Clock,
  layout: ParameterLayout,
  classes: number,
  pace: Pace,
  onCompute: (step: number, microBatch: number) => void,
): Engine {
  let weights: Float32Array = new Float32Array(layout.length);
  const judge = (labels: Int32Array): TrainResult => {
    const losses = Float32Array.from(
      labels,
      (sample) => (mixed(sample, 1) - weights[sample % layout.length]!) ** 2,
    );
    const predictions = Int32Array.from(labels, (sample) =>
      mixed(sample, 2) + weights[0]! > 0 ? sample % classes : (sample + 1) % classes,
    );
    const correct = labels.reduce((sum, sample, i) => sum + (predictions[i] === sample % classes ? 1 : 0), 0);
    return { losses, predictions, correct, lossSum: losses.reduce((sum, loss) => sum + loss, 0) };
  };
  return {
    backend: BACKEND,
    loadWeights: (flat) => {
      weights = Float32Array.from(flat);
    },
    trainMicroBatch: async (
      { labels },
      { step, microBatch }: MicroBatchPosition,
      onGradient: GradientCallback,
    ): Promise<TrainResult> => {
      await clock.delay(pace());
      onCompute(step, microBatch);
      for (const slot of [...layout.slots].reverse()) {
        const gradient = new Float32Array(slot.length);
        for (let i = 0; i < slot.length; i++) {
          const at = slot.offset + i;
          let sum = 0;
          for (const sample of labels) sum += weights[at]! - mixed(sample, at) * (1 + (step % 3));
          gradient[i] = sum;
        }
        onGradient(slot, hostGradient(gradient));
      }
      return judge(labels);
    },
    evaluateMicroBatch: async ({ labels }) => {
      await clock.delay(pace());
      return judge(labels);
    },
  };
}
