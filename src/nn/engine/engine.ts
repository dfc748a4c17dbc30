/** Computes a worker's micro-batches: loss and gradients, evaluation, prediction. */
import { tf } from '../tfjs.js';
import { coded } from '../../errors/errors.js';
import { parameterLayout } from '../../run/model/parameter-layout.js';
import type { Judgement } from '../vit/pass.js';
import { WeightTensors } from '../vit/weight-tensors.js';
import type { Compute } from './compute.js';
import type { EngineOptions } from './engine-options.js';
import { startCompute } from './start-compute.js';
import type { GpuKernels } from '../../kernels/kernel-api.js';
import { readJudgement, type EvaluationResult } from './judgement-reader.js';
import { withinDevice } from './memory-fit.js';
import {
  blankBatch,
  MicroBatchPass,
  type GradientCallback,
  type MicroBatch,
  type MicroBatchPosition,
} from './micro-batch-pass.js';
import { peakBytesOf, withinMemory, type Measure } from './micro-batch-memory.js';
import { imagesIn, type ModelInput } from '../model-input.js';
import { weightsFrom, type WeightSource } from '../tensor-maker.js';

export interface TrainResult extends EvaluationResult {
  /** Sum of the float32 losses in sample order, in double precision. */
  readonly lossSum: number;
}

/** Of m images and K classes, each [m, K]. */
export interface Outputs {
  readonly logits: Float32Array;
  readonly probabilities: Float32Array;
}

/** The position of a micro-batch that is only measured. */
const NOWHERE: MicroBatchPosition = { step: 0, microBatch: 0 };

/** There may be only one engine at a time, because tfjs has one active backend for the whole process. */
export class ComputeEngine {
  readonly #options: EngineOptions;
  readonly #compute: Compute;
  readonly #pass: MicroBatchPass;
  #weights: WeightTensors | undefined;

  private constructor(options: EngineOptions, compute: Compute) {
    this.#options = options;
    this.#compute = compute;
    this.#pass = new MicroBatchPass(options, compute);
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
      () => this.#pass.forwardAndBack(this.#loaded(), batch, position, onGradient),
      (images) => this.#trainedBlank(images),
    );
    const result = await readJudgement(judgement, batch.labels);
    return { ...result, lossSum: result.losses.reduce((sum, loss) => sum + loss, 0) };
  }

  /** Losses and predictions without dropout and label smoothing. */
  async evaluateMicroBatch(batch: MicroBatch): Promise<EvaluationResult> {
    const judgement = this.#withinMemory(
      batch.labels.length,
      () => this.#pass.judge(this.#loaded(), batch),
      (images) => this.#pass.judge(this.#loaded(), this.#blank(images)),
    );
    return readJudgement(judgement, batch.labels);
  }

  /**
   * What the head sees of each image, [m, W], without dropout and drop path. On a processor it does not depend on the
   * other images of the micro-batch, nor on their number.
   */
  async features(input: ModelInput): Promise<Float32Array> {
    const images = imagesIn(input, this.#options.spec);
    const features = this.#withinMemory(
      images,
      () => this.#pass.features(this.#loaded(), input, images),
      (count) => this.#pass.features(this.#loaded(), this.#blank(count), count),
    );
    try {
      return await features.data<'float32'>();
    } finally {
      features.dispose();
    }
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
    return peakBytesOf(gpu, images, (count) => this.#trainedBlank(count));
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

  #blank(images: number): ModelInput & MicroBatch {
    return blankBatch(this.#options.spec, images);
  }

  #trainedBlank(images: number): Judgement {
    return this.#pass.forwardAndBack(this.#loaded(), this.#blank(images), NOWHERE, () => undefined);
  }

  /** [m, K] each */
  #outputs(input: ModelInput, images: number): { logits: tf.Tensor; probabilities: tf.Tensor } {
    return tf.tidy(() => {
      const logits = this.#pass.logits(this.#loaded(), input, images);
      return { logits, probabilities: tf.softmax(logits) };
    });
  }

  #loaded(): WeightTensors {
    if (this.#weights === undefined) throw coded('INTERNAL', { reason: 'the engine has no weights yet' });
    return this.#weights;
  }
}
