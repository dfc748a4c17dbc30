/** The parameters of a Vision Transformer, in the form that the network's parts take. */
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
}

export interface MlpWeights {
  readonly fc1: LinearWeights;
  readonly fc2: LinearWeights;
  readonly gelu: GeluForm;
}

export interface EncoderBlockWeights {
  readonly norm1: LayerNormWeights;
  readonly attention: SelfAttentionWeights;
  readonly norm2: LayerNormWeights;
  readonly mlp: MlpWeights;
}

export interface VitWeights {
  readonly embedding: EmbeddingWeights;
  readonly blocks: readonly EncoderBlockWeights[];
  readonly norm: LayerNormWeights;
  readonly preLogits: LinearWeights | undefined;
  readonly head: LinearWeights;
}
