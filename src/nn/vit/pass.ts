/** The context of one pass of a micro-batch through the network. */
import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { ModelSpec } from '../../run/model/model-spec.js';
import type { PixelScale } from '../../run/model/patches.js';
import type { DropoutKey } from '../../kernels/dropout-mask.js';
import type { ModelInput } from '../model-input.js';
import type { Tape } from '../tape.js';
import type { EmbeddingWeights } from '../ops/embed-tokens.js';
import type { LayerNormWeights } from '../ops/layer-norm.js';
import type { TokenSums } from '../ops/pool-tokens.js';
import type { DropPath } from './drop-path.js';
import type { EncoderBlockWeights } from './vit-weights.js';

export interface Pass {
  /** The parts of the network on the active backend. */
  readonly parts: VitParts;
  /** Undefined outside training: nothing is recorded, and activations are freed at once. */
  readonly tape: Tape | undefined;
  /** B, the samples of the micro-batch. */
  readonly images: number;
  /** Undefined outside training. */
  readonly dropout: DropoutKey | undefined;
  /** Undefined outside training. */
  readonly dropPath: DropPath | undefined;
}

/** Every sample's loss and prediction. */
export interface Judgement {
  /** [B] */
  readonly losses: Tensor1D;
  /** [B], int32: the class with the largest logit, the first one if several are equal */
  readonly predictions: Tensor1D;
}

/** The parts of the network, which each backend may compute in its own way. `vit` puts them together. */
export interface VitParts {
  /** The input of equation 1: [B N, C P P]. `scale` maps pixel values to numbers. */
  readonly input: (input: ModelInput, spec: ModelSpec, scale: PixelScale) => Tensor2D;
  /** Equation 1, with dropout after the position embedding (as in vit_jax): [B N, C P P] -> [B S, D] */
  readonly embed: (pass: Pass, weights: EmbeddingWeights, patches: Tensor2D) => Tensor2D;
  /** Equation 2: z' = MSA(LN(z)) + z, [T, D] -> [T, D] */
  readonly attentionBranch: (
    pass: Pass,
    weights: EncoderBlockWeights,
    layer: number,
    z: Tensor2D,
  ) => Tensor2D;
  /** Equation 3: z = MLP(LN(z')) + z', [T, D] -> [T, D] */
  readonly mlpBranch: (pass: Pass, weights: EncoderBlockWeights, layer: number, z: Tensor2D) => Tensor2D;
  /** [B S, D] -> [B, D]: token 0 of each of the B images. */
  readonly classToken: (tape: Tape | undefined, z: Tensor2D, images: number) => Tensor2D;
  /** [B S, D] -> [B Q, D]: sums over the tokens of each of the B images. */
  readonly poolTokens: (tape: Tape | undefined, z: Tensor2D, images: number, sums: TokenSums) => Tensor2D;
  /** LN(z) of all tokens: [T, D] -> [T, D]. */
  readonly norm: (tape: Tape | undefined, z: Tensor2D, weights: LayerNormWeights) => Tensor2D;
  /**
   * The loss, in two calls. The first copies the labels [B] to the device before anything is computed, when the copy delays
   * nothing. The second computes [B] from the logits [B, K].
   */
  readonly crossEntropy: (
    labels: Int32Array,
    classes: number,
    smoothing: number,
  ) => (tape: Tape | undefined, logits: Tensor2D) => Judgement;
}
