/** Computes a worker's micro-batches: loss and gradients, evaluation, prediction. */
import * as tf from '@tensorflow/tfjs-core';
import { coded } from '../../shared/errors.js';
import { patchCount, patchLength, type ModelSpec } from '../../shared/model/model-spec.js';
import type { ParameterSlot } from '../../shared/model/parameter-layout.js';
import type { Precision } from '../model/fused/device.js';
import type { Pass } from '../model/pass.js';
import { vit } from '../model/vit.js';
import { WeightTensors } from '../model/weight-tensors.js';
import { startCompute, type Compute } from './compute.js';
import type { GradientTensor } from './gradient-tensor.js';
import { Tape } from './tape.js';

export interface EngineOptions {
  /** One of BACKEND_CHOICES. */
  readonly backend: string;
  readonly spec: ModelSpec;
  /** Probability of zeroing an element, in [0, 1). */
  readonly dropout: number;
  /** Probability mass spread over all classes, in [0, 1). */
  readonly labelSmoothing: number;
  /** Keep only the input of each encoder block and compute the block again on the way back. */
  readonly recompute: boolean;
  readonly seed: number;
  /** fp32 where missing. bf16: operands and activations, with fp32 sums and weights; on the native backend only. */
  readonly precision?: Precision;
  /** Of the native backend; 0 or missing: one for each processor. Results do not depend on it. */
  readonly threads?: number;
  /** Plain tfjs ops even where there are fused kernels: for comparison. */
  readonly composed?: boolean;
}

export interface MicroBatch {
  /** [m, N, C P P]: patches row by row, each in channel, row, column order. */
  readonly patches: Float32Array;
  /** [m] */
  readonly labels: Int32Array;
}

/** Where in the run a micro-batch stands: what its dropout follows from. */
export interface MicroBatchPosition {
  readonly step: number;
  readonly microBatch: number;
}

export interface TrainResult {
  /** Sum of the float32 losses in sample order, in double precision. */
  readonly lossSum: number;
  /** [m], with label smoothing */
  readonly losses: Float32Array;
  readonly correct: number;
}

export interface EvaluationResult {
  /** [m], without label smoothing */
  readonly losses: Float32Array;
  /** [m]; of equal logits the first class */
  readonly predictions: Int32Array;
  readonly correct: number;
}

/** Gradient of the SUM of the micro-batch's losses, flat; called as soon as the slot's gradient is final. */
export type GradientCallback = (slot: ParameterSlot, gradient: GradientTensor) => void;

/** The tfjs backend is the process's: one engine at a time. */
export class ComputeEngine {
  readonly #options: EngineOptions;
  readonly #compute: Compute;
  #weights: WeightTensors | undefined;

  private constructor(options: EngineOptions, compute: Compute) {
    this.#options = options;
    this.#compute = compute;
  }

  /** @throws BACKEND_UNAVAILABLE, PRECISION_UNSUPPORTED */
  static async create(options: EngineOptions): Promise<ComputeEngine> {
    return new ComputeEngine(options, await startCompute(options));
  }

  /** What computes, by name: workers of one run must agree on it, because the bits follow from it. */
  get backend(): string {
    return this.#compute.identity;
  }

  /**
   * Replaces the weights, and must be called again after they have changed.
   * @param flat in the order of `parameterLayout(spec)`, may be shared memory; not to be written to during a micro-batch
   */
  loadWeights(flat: Float32Array): void {
    // The old ones first: both sets together would be the peak of a large model's memory.
    this.dispose();
    this.#weights = new WeightTensors(this.#options.spec, flat, this.#compute.placement);
  }

  /** Loss and gradients of one micro-batch: a pure function of weights, batch, position and options. */
  trainMicroBatch(
    { patches, labels }: MicroBatch,
    position: MicroBatchPosition,
    onGradient: GradientCallback,
  ): TrainResult {
    const { seed, dropout, labelSmoothing, recompute } = this.#options;
    const weights = this.#loaded();
    const tape = new Tape(weights.slots, (slot, gradient) => {
      onGradient(slot, this.#compute.gradientOf(gradient));
    });
    const { parts } = this.#compute;
    const pass: Pass = { parts, tape, images: labels.length, dropout: { rate: dropout, seed, ...position } };
    try {
      return tf.tidy(() => {
        const logits = vit(pass, weights.vit, this.#upload(patches, labels.length), recompute);
        const lossTensor = parts.crossEntropy(tape, logits, labels, labelSmoothing);
        const losses = lossTensor.dataSync<'float32'>();
        const { correct } = classified(logits, labels);
        tape.walk(lossTensor, tf.ones([labels.length]));
        return { lossSum: losses.reduce((sum, loss) => sum + loss, 0), losses, correct };
      });
    } finally {
      tape.dispose();
    }
  }

  /** Losses and predictions without dropout and label smoothing. */
  evaluateMicroBatch({ patches, labels }: MicroBatch): EvaluationResult {
    return tf.tidy(() => {
      const logits = this.#infer(patches, labels.length);
      const losses = this.#compute.parts.crossEntropy(undefined, logits, labels, 0).dataSync<'float32'>();
      return { losses, ...classified(logits, labels) };
    });
  }

  /** Class probabilities [m, K] of the images in `patches` [m, N, C P P]. */
  predict(patches: Float32Array): Float32Array {
    const { spec } = this.#options;
    const images = patches.length / (patchCount(spec) * patchLength(spec));
    return tf.tidy(() => tf.softmax(this.#infer(patches, images)).dataSync<'float32'>());
  }

  /** Frees the weights; `loadWeights` may follow. */
  dispose(): void {
    this.#weights?.dispose();
    this.#weights = undefined;
  }

  #infer(patches: Float32Array, images: number): tf.Tensor2D {
    const { parts } = this.#compute;
    const pass: Pass = { parts, tape: undefined, images, dropout: undefined };
    return vit(pass, this.#loaded().vit, this.#upload(patches, images), false);
  }

  /** [m, N, C P P] on the host -> [m N, C P P] */
  #upload(patches: Float32Array, images: number): tf.Tensor2D {
    const { spec } = this.#options;
    const width = patchLength(spec);
    const rows = images * patchCount(spec);
    if (!Number.isInteger(images) || images < 1 || patches.length !== rows * width) {
      const reason = `${patches.length} patch values for ${images} images of ${patchCount(spec)} x ${width}`;
      throw coded('INTERNAL', { reason });
    }
    return this.#compute.placement.place(patches, [rows, width]) as tf.Tensor2D;
  }

  #loaded(): WeightTensors {
    if (this.#weights === undefined) throw coded('INTERNAL', { reason: 'the engine has no weights yet' });
    return this.#weights;
  }
}

function classified(logits: tf.Tensor2D, labels: Int32Array): { predictions: Int32Array; correct: number } {
  const classes = logits.shape[1];
  const values = logits.dataSync<'float32'>();
  const predictions = new Int32Array(labels.length);
  let correct = 0;
  for (let i = 0; i < labels.length; i++) {
    let best = 0;
    for (let k = 1; k < classes; k++) {
      if (values[i * classes + k]! > values[i * classes + best]!) best = k;
    }
    predictions[i] = best;
    if (best === labels[i]) correct++;
  }
  return { predictions, correct };
}
