/** The features in which published Vision Transformers differ from the paper's. Pure. */
import { coded } from '../../errors/errors.js';

/** What the head sees: the class token, the mean over all patches, or both, one after the other (DINOv2). */
export type Pooling = 'class-token' | 'average' | 'class-token-and-average';
/** timm calls the last LayerNorm `norm` before pooling and `fc_norm` after it. */
export type LastNorm = 'before-pooling' | 'after-pooling';
/** Tokens that have a position embedding: all of them, or the patches only (timm's `no_embed_class`). */
export type Positions = 'all-tokens' | 'patches';

export interface ModelFeatures {
  readonly pooling: Pooling;
  readonly lastNorm: LastNorm;
  /** Value that LayerScale's factors begin with (arXiv 2103.17239); 0 for a model without LayerScale. */
  readonly layerScale: number;
  /** R: tokens after the class token that hold nothing of the image (arXiv 2309.16588). */
  readonly registers: number;
  /** A second class token with a head of its own (arXiv 2012.12877). The logits are the mean of both heads'. */
  readonly distillation: boolean;
  /** Of every LayerNorm. */
  readonly layerNormEpsilon: number;
  /** Whether queries, keys and values have a bias. */
  readonly qkvBias: boolean;
  readonly positions: Positions;
}

/** The paper's model, with the epsilon of vit_jax and timm. */
export const PAPER_FEATURES: ModelFeatures = {
  pooling: 'class-token',
  lastNorm: 'before-pooling',
  layerScale: 0,
  registers: 0,
  distillation: false,
  layerNormEpsilon: 1e-6,
  qkvBias: true,
  positions: 'all-tokens',
};

/** Features as they are asked for: those that are missing are the paper's. */
export type FeatureOptions = Partial<Omit<ModelFeatures, 'lastNorm'>> & {
  /** null or missing: after an average, as in timm, else before. */
  readonly lastNorm?: LastNorm | null;
};

/** Reasons why two features do not go together. */
function conflict(features: ModelFeatures, preLogits: number): string | null {
  const { pooling, lastNorm, distillation } = features;
  if (distillation && pooling !== 'class-token') {
    return `the distillation token's head needs pooling class-token, not ${pooling}`;
  }
  if (distillation && preLogits > 0) return 'two heads share no pre-logits';
  if (pooling === 'class-token-and-average' && lastNorm === 'after-pooling') {
    return 'class token and average are as wide as two tokens, and the last norm is as wide as one';
  }
  return null;
}

/** @throws MODEL_FEATURES_CONFLICT */
export function modelFeatures(options: FeatureOptions, preLogits: number): ModelFeatures {
  const { pooling = PAPER_FEATURES.pooling } = options;
  const features: ModelFeatures = {
    pooling,
    lastNorm: options.lastNorm ?? (pooling === 'average' ? 'after-pooling' : 'before-pooling'),
    layerScale: options.layerScale ?? PAPER_FEATURES.layerScale,
    registers: options.registers ?? PAPER_FEATURES.registers,
    distillation: options.distillation ?? PAPER_FEATURES.distillation,
    layerNormEpsilon: options.layerNormEpsilon ?? PAPER_FEATURES.layerNormEpsilon,
    qkvBias: options.qkvBias ?? PAPER_FEATURES.qkvBias,
    positions: options.positions ?? PAPER_FEATURES.positions,
  };
  const reason = conflict(features, preLogits);
  if (reason !== null) throw coded('MODEL_FEATURES_CONFLICT', { reason });
  return features;
}
