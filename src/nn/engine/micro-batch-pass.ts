/** One pass of a micro-batch through the network: forward and back, or forward alone. */
import { tf } from '../tfjs.js';
import { coded } from '../../errors/errors.js';
import { headInputs, type ModelSpec } from '../../run/model/model-spec.js';
import type { ParameterSlot } from '../../run/model/parameter-layout.js';
import { pixelScale, type PixelScale } from '../../run/model/patches.js';
import { frozenParts } from '../../run/model/trained-parameters.js';
import type { GradientTensor } from '../../kernels/gradient-tensor.js';
import { imagesIn, type FeatureInput, type ModelInput } from '../model-input.js';
import { Tape } from '../tape.js';
import { logitsOf } from '../vit/classifier.js';
import type { Judgement, Pass } from '../vit/pass.js';
import { vitFeatures } from '../vit/vit.js';
import type { WeightTensors } from '../vit/weight-tensors.js';
import type { Compute } from './compute.js';
import type { EngineOptions } from './engine-options.js';

/** Images, or what the head sees of them, with their classes. */
export type MicroBatch = (ModelInput | FeatureInput) & {
  /** [m] */
  readonly labels: Int32Array;
};

/** The position of a micro-batch in the run, which decides its dropout. */
export interface MicroBatchPosition {
  readonly step: number;
  readonly microBatch: number;
}

/** Takes a slot's gradient of the SUM of the micro-batch's losses, flat. Called as soon as it is final. */
export type GradientCallback = (slot: ParameterSlot, gradient: GradientTensor) => void;

const NOTHING_FROZEN = frozenParts(null, 0);

export class MicroBatchPass {
  readonly #options: EngineOptions;
  readonly #compute: Compute;
  readonly #scale: PixelScale;

  constructor(options: EngineOptions, compute: Compute) {
    this.#options = options;
    this.#compute = compute;
    const { transform = 'paper', mean = null, std = null } = options;
    this.#scale = pixelScale({ transform, mean, std });
  }

  /** Losses in training, and the gradients of what is trained. */
  forwardAndBack(
    weights: WeightTensors,
    batch: MicroBatch,
    position: MicroBatchPosition,
    onGradient: GradientCallback,
  ): Judgement {
    const { spec, seed, dropout, labelSmoothing, recompute, dropPath = 0, freeze = null } = this.#options;
    const frozen = frozenParts(freeze, spec.layers);
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
    if ('features' in batch && !frozen.norm) {
      throw coded('INTERNAL', { reason: 'features of images, and more is trained than the head' });
    }
    try {
      return tf.tidy(() => {
        const judge = parts.crossEntropy(labels, spec.classes, labelSmoothing);
        const features =
          'features' in batch
            ? this.#given(batch, labels.length)
            : vitFeatures(pass, weights.vit, this.#input(batch, labels.length), recompute, frozen);
        if (frozen.norm) tape.watch(features);
        const logits = logitsOf(tape, weights.vit.classifier, features);
        features.dispose();
        const { losses, predictions } = judge(tape, logits);
        // Not tf.ones, which is made on the host.
        tape.walk(losses, tf.fill([labels.length], 1));
        return { losses, predictions };
      });
    } finally {
      tape.dispose();
    }
  }

  /** Losses without dropout and label smoothing. */
  judge(weights: WeightTensors, batch: MicroBatch): Judgement {
    const { labels } = batch;
    return tf.tidy(() => {
      const judge = this.#compute.parts.crossEntropy(labels, this.#options.spec.classes, 0);
      const { losses, predictions } = judge(undefined, this.logits(weights, batch, labels.length));
      return { losses, predictions };
    });
  }

  /** [m, K] */
  logits(weights: WeightTensors, input: ModelInput | FeatureInput, images: number): tf.Tensor2D {
    return tf.tidy(() => {
      const features =
        'features' in input ? this.#given(input, images) : this.features(weights, input, images);
      return logitsOf(undefined, weights.vit.classifier, features);
    });
  }

  /** What the head sees: [m, W]. */
  features(weights: WeightTensors, input: ModelInput, images: number): tf.Tensor2D {
    const { parts } = this.#compute;
    const pass: Pass = { parts, tape: undefined, images, dropout: undefined, dropPath: undefined };
    return tf.tidy(() => vitFeatures(pass, weights.vit, this.#input(input, images), false, NOTHING_FROZEN));
  }

  /** [m N, C P P] */
  #input(input: ModelInput, images: number): tf.Tensor2D {
    const { spec } = this.#options;
    const found = imagesIn(input, spec);
    if (found !== images) throw coded('INTERNAL', { reason: `${images} labels for ${found} images` });
    return this.#compute.parts.input(input, spec, this.#scale);
  }

  /** [m, W] */
  #given({ features }: FeatureInput, images: number): tf.Tensor2D {
    const width = headInputs(this.#options.spec);
    if (features.length !== images * width) {
      throw coded('INTERNAL', {
        reason: `${features.length} values for the features of ${images} images, ${width} each`,
      });
    }
    return this.#compute.tensors.make(features, [images, width]) as tf.Tensor2D;
  }
}

/** Black images, because memory does not depend on their content. */
export function blankBatch({ imageSize }: ModelSpec, images: number): ModelInput & MicroBatch {
  const pixels = new Uint8Array(images * imageSize * imageSize * 3);
  return { pixels, flips: new Uint8Array(images), labels: new Int32Array(images) };
}
