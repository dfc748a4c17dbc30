/** The parameters of a Vision Transformer, in the form that the network's parts take. */
import type { Tensor1D } from '@tensorflow/tfjs-core';
import type { Pooling } from '../../run/model/model-features.js';
import type { GeluForm } from '../../run/model/model-spec.js';
import type { EmbeddingWeights } from '../ops/embed-tokens.js';
import type { LayerNormWeights } from '../ops/layer-norm.js';
import type { LinearWeights } from '../ops/linear.js';

export interface SelfAttentionWeights {
  /** [3 D, D]: q, k and v below each other */
  readonly qkv: LinearWeights;
  /** [D, D] */
  readonly out: LinearWeights;
  readonly heads: number;
  /** [D]: LayerScale's factors; undefined for a model without LayerScale */
  readonly scale: Tensor1D | undefined;
}

export interface MlpWeights {
  readonly fc1: LinearWeights;
  readonly fc2: LinearWeights;
  readonly gelu: GeluForm;
  /** As in `SelfAttentionWeights`. */
  readonly scale: Tensor1D | undefined;
}

export interface EncoderBlockWeights {
  readonly norm1: LayerNormWeights;
  readonly attention: SelfAttentionWeights;
  readonly norm2: LayerNormWeights;
  readonly mlp: MlpWeights;
}

/** What follows the last block. */
export interface ClassifierWeights {
  readonly pooling: Pooling;
  /** Whether `norm` is applied to all tokens; otherwise to what pooling gives. */
  readonly normFirst: boolean;
  readonly norm: LayerNormWeights;
  readonly preLogits: LinearWeights | undefined;
  readonly head: LinearWeights;
  /** Of the distillation token; undefined for a model without one. */
  readonly secondHead: LinearWeights | undefined;
}

export interface VitWeights {
  readonly embedding: EmbeddingWeights;
  readonly blocks: readonly EncoderBlockWeights[];
  readonly classifier: ClassifierWeights;
}
