/** Computes a worker's micro-batches: loss and gradients, evaluation, prediction. */
import { tf } from '../tfjs.js';
import { coded } from '../../errors/errors.js';
import type { ModelSpec } from '../../run/model/model-spec.js';
import { parameterLayout, type ParameterSlot } from '../../run/model/parameter-layout.js';
import { frozenParts } from '../../run/model/trained-parameters.js';
import { pixelScale, type PixelScale } from '../../run/model/patches.js';
import type { Transform } from '../../run/model/preprocessing.js';
import type { Judgement, Pass } from '../vit/pass.js';
import { vit } from '../vit/vit.js';
import { WeightTensors } from '../vit/weight-tensors.js';
import type { Compute, ComputeOptions } from './compute.js';
import { startCompute } from './start-compute.js';
import type { GradientTensor } from '../../kernels/gradient-tensor.js';
import type { GpuKernels } from '../../kernels/kernel-api.js';
import { readJudgement, type EvaluationResult } from './judgement-reader.js';
import { withinDevice } from './memory-fit.js';
import { peakBytesOf, withinMemory, type Measure } from './micro-batch-memory.js';
import { imagesIn, type ModelInput } from '../model-input.js';
import { weightsFrom, type WeightSource } from '../tensor-maker.js';
import { Tape } from '../tape.js';

export interface EngineOptions extends ComputeOptions {
  readonly spec: ModelSpec;
  /** Decides, with `mean` and `std`, what pixel values stand for; paper if missing. */
  readonly transform?: Transform;
  readonly mean?: string | null;
  readonly std?: string | null;
  /** Probability of zeroing an element, in [0, 1). */
  readonly dropout: number;
  /** Probability of dropping a branch of a sample in the last block, in [0, 1); 0 if missing. */
  readonly dropPath?: number;
  /** What is not trained; null or missing for nothing. */
  readonly freeze?: string | null;
  /** Probability mass spread over all classes, in [0, 1). */
  readonly labelSmoothing: number;
  /** Keep only the input of each encoder block, and compute the block again in the backward pass. */
  readonly recompute: boolean;
  readonly seed: number;
}

/** @see ModelInput */
export type MicroBatch = ModelInput & {
  /** [m] */
  readonly labels: Int32Array;
};

/** The position of a micro-batch in the run, which decides its dropout. */
export interface MicroBatchPosition {
  readonly step: number;
  readonly microBatch: number;
}

export interface TrainResult extends EvaluationResult {
  /** Sum of the float32 losses in sample order, in double precision. */
  readonly lossSum: number;
}

/** Of m images and K classes, each [m, K]. */
export interface Outputs {
  readonly logits: Float32Array;
  readonly probabilities: Float32Array;
}

const NOTHING_FROZEN = frozenParts(null, 0);

/** The position of a micro-batch that is only measured. */
const NOWHERE: MicroBatchPosition = { step: 0, microBatch: 0 };

/** Takes a slot's gradient of the SUM of the micro-batch's losses, flat. Called as soon as it is final. */
export type GradientCallback = (slot: ParameterSlot, gradient: GradientTensor) => void;

/** There may be only one engine at a time, because tfjs has one active backend for the whole process. */
export class ComputeEngine {
  readonly #options: EngineOptions;
  readonly #compute: Compute;
  readonly #scale: PixelScale;
  #weights: WeightTensors | undefined;

  private constructor(options: EngineOptions, compute: Compute) {
    this.#options = options;
    this.#compute = compute;
    const { transform = 'paper', mean = null, std = null } = options;
    this.#scale = pixelScale({ transform, mean, std });
  }

  /** @throws BACKEND_UNAVAILABLE, PRECISION_UNSUPPORTED */
  static async create(options: EngineOptions): Promise<ComputeEngine> {
    return new ComputeEngine(options, await startCompute(options));
  }

  /** The kernels of the GPU that it computes on; undefined on a processor. */
  get gpu(): GpuKernels | undefined {
    return this.#compute.gpu;
  }

  /** The name of the backend. All workers of a run must have the same, because the bits depend on it. */
  get backend(): string {
    return this.#compute.identity;
  }

  /**
   * Replaces the weights, and must be called again after they have changed.
   * @param flat in the order of `parameterLayout(spec)`; may be shared memory; must not change during a micro-batch
   * @throws DEVICE_TOO_SMALL
   */
  loadWeights(flat: Float32Array): void {
    const { length } = parameterLayout(this.#options.spec);
    if (flat.length !== length) {
      throw coded('INTERNAL', { reason: `${flat.length} weights for a model of ${length} parameters` });
    }
    this.useWeights(weightsFrom(flat, this.#compute.tensors));
  }

  /** As `loadWeights`, from any source. @throws DEVICE_TOO_SMALL */
  useWeights(source: WeightSource): void {
    // The old weights are freed first, because both sets together would be the peak of a large model's memory.
    this.dispose();
    this.#weights = withinDevice(this.backend, () => new WeightTensors(this.#options.spec, source));
  }

  /**
   * Loss and gradients of one micro-batch: a pure function of weights, batch, position and options.
   * `onGradient` is called before this returns; the promise settles when the losses are on the host.
   * @throws DEVICE_OUT_OF_MEMORY, DEVICE_TOO_SMALL
   */
  async trainMicroBatch(
    batch: MicroBatch,
    position: MicroBatchPosition,
    onGradient: GradientCallback,
  ): Promise<TrainResult> {
    const judgement = this.#withinMemory(
      batch.labels.length,
      () => this.#passAndBack(batch, position, onGradient),
      (images) => this.#passAndBack(this.#blank(images), NOWHERE, () => undefined),
    );
    const result = await readJudgement(judgement, batch.labels);
    return { ...result, lossSum: result.losses.reduce((sum, loss) => sum + loss, 0) };
  }

  /** Losses and predictions without dropout and label smoothing. */
  async evaluateMicroBatch(batch: MicroBatch): Promise<EvaluationResult> {
    const judgement = this.#withinMemory(
      batch.labels.length,
      () => this.#judge(batch),
      (images) => this.#judge(this.#blank(images)),
    );
    return readJudgement(judgement, batch.labels);
  }

  /** Logits and probabilities of the images. */
  async predict(input: ModelInput): Promise<Outputs> {
    const images = imagesIn(input, this.#options.spec);
    const { logits, probabilities } = this.#withinMemory(
      images,
      () => this.#outputs(input, images),
      (count) => this.#outputs(this.#blank(count), count),
    );
    try {
      return {
        logits: await logits.data<'float32'>(),
        probabilities: await probabilities.data<'float32'>(),
      };
    } finally {
      tf.dispose([logits, probabilities]);
    }
  }

  /**
   * On a GPU, the most memory in bytes that the forward and backward pass of a micro-batch takes, weights included;
   * Infinity if that is more than there is.
   */
  peakBytes(images: number): number {
    const { gpu } = this;
    if (gpu === undefined) throw coded('INTERNAL', { reason: 'memory is measured on a GPU only' });
    return peakBytesOf(gpu, images, (count) =>
      this.#passAndBack(this.#blank(count), NOWHERE, () => undefined),
    );
  }

  /** Frees the weights; `loadWeights` may follow. */
  dispose(): void {
    this.#weights?.dispose();
    this.#weights = undefined;
  }

  /** @throws DEVICE_OUT_OF_MEMORY, DEVICE_TOO_SMALL in place of the allocator's error */
  #withinMemory<T>(images: number, run: () => T, measure: Measure): T {
    const { gpu, backend: device } = this;
    return gpu === undefined
      ? run()
      : withinMemory({ gpu, ordinal: this.#options.gpu ?? 0, device }, images, run, measure);
  }

  /** Black images, because memory does not depend on their content. */
  #blank(images: number): MicroBatch {
    const { imageSize } = this.#options.spec;
    const pixels = new Uint8Array(images * imageSize * imageSize * 3);
    return { pixels, flips: new Uint8Array(images), labels: new Int32Array(images) };
  }

  #passAndBack(batch: MicroBatch, position: MicroBatchPosition, onGradient: GradientCallback): Judgement {
    const { spec, seed, dropout, labelSmoothing, recompute, dropPath = 0, freeze = null } = this.#options;
    const frozen = frozenParts(freeze, spec.layers);
    const weights = this.#loaded();
    const { labels } = batch;
    const tape = new Tape(weights.slots, (slot, gradient) => {
      onGradient(slot, this.#compute.gradientOf(gradient));
    });
    const { parts } = this.#compute;
    const pass: Pass = {
      parts,
      tape,
      images: labels.length,
      dropout: { rate: dropout, seed, ...position },
      dropPath: { rate: dropPath, layers: spec.layers, key: { seed, ...position } },
    };
    try {
      return tf.tidy(() => {
        const judge = parts.crossEntropy(labels, spec.classes, labelSmoothing);
        const logits = vit(pass, weights.vit, this.#input(batch, labels.length), recompute, frozen);
        const { losses, predictions } = judge(tape, logits);
        // Not tf.ones, which is made on the host.
        tape.walk(losses, tf.fill([labels.length], 1));
        return { losses, predictions };
      });
    } finally {
      tape.dispose();
    }
  }

  #judge(batch: MicroBatch): Judgement {
    const { labels } = batch;
    return tf.tidy(() => {
      const judge = this.#compute.parts.crossEntropy(labels, this.#options.spec.classes, 0);
      const { losses, predictions } = judge(undefined, this.#infer(batch, labels.length));
      return { losses, predictions };
    });
  }

  /** [m, K] each */
  #outputs(input: ModelInput, images: number): { logits: tf.Tensor; probabilities: tf.Tensor } {
    return tf.tidy(() => {
      const logits = this.#infer(input, images);
      return { logits, probabilities: tf.softmax(logits) };
    });
  }

  #infer(input: ModelInput, images: number): tf.Tensor2D {
    const { parts } = this.#compute;
    const pass: Pass = { parts, tape: undefined, images, dropout: undefined, dropPath: undefined };
    return vit(pass, this.#loaded().vit, this.#input(input, images), false, NOTHING_FROZEN);
  }

  /** [m N, C P P] */
  #input(input: ModelInput, images: number): tf.Tensor2D {
    const { spec } = this.#options;
    const found = imagesIn(input, spec);
    if (found !== images) throw coded('INTERNAL', { reason: `${images} labels for ${found} images` });
    return this.#compute.parts.input(input, spec, this.#scale);
  }

  #loaded(): WeightTensors {
    if (this.#weights === undefined) throw coded('INTERNAL', { reason: 'the engine has no weights yet' });
    return this.#weights;
  }
}
