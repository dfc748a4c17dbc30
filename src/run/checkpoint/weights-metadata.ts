/**
 * The metadata of weights.safetensors, from which another program learns the model and its preprocessing.
 * Pure.
 */
import { evaluationView } from '../model/evaluation-view.js';
import { PAPER_FEATURES, type ModelFeatures } from '../model/model-features.js';
import type { ModelSpec } from '../model/model-spec.js';
import type { PreprocessingOptions } from '../model/preprocessing.js';

/** Names in the metadata of features that are there only if they are not the paper's. */
const FEATURE_NAMES = {
  pooling: 'pooling',
  lastNorm: 'last_norm',
  layerScale: 'layer_scale',
  registers: 'registers',
  distillation: 'distillation',
  qkvBias: 'qkv_bias',
  positions: 'positions',
} as const satisfies Partial<Record<keyof ModelFeatures, string>>;

function unusualFeatures(spec: ModelFeatures): Record<string, string> {
  const names = Object.entries(FEATURE_NAMES) as [keyof typeof FEATURE_NAMES, string][];
  const unusual = names.filter(([key]) => spec[key] !== PAPER_FEATURES[key]);
  return Object.fromEntries(unusual.map(([key, name]) => [name, String(spec[key])]));
}

/**
 * Values of the format's metadata are strings: numbers in decimal, lists in JSON.
 * @param classes names, in the order of the logits
 */
export function weightsMetadata(
  spec: ModelSpec,
  preprocessing: PreprocessingOptions,
  classes: readonly string[],
): Record<string, string> {
  const view = evaluationView(preprocessing, spec.imageSize);
  return {
    model: spec.name,
    layers: String(spec.layers),
    hidden: String(spec.hidden),
    mlp: String(spec.mlp),
    heads: String(spec.heads),
    patch: String(spec.patch),
    image_size: String(spec.imageSize),
    pre_logits: String(spec.preLogits),
    gelu: spec.gelu,
    ...unusualFeatures(spec),
    layer_norm_eps: String(spec.layerNormEpsilon),
    classes: JSON.stringify(classes),
    resize: view.resize,
    resize_to: String(view.resizeTo),
    interpolation: `${view.interpolation}-antialias`,
    center_crop: String(view.centerCrop),
    mean: JSON.stringify(view.mean),
    std: JSON.stringify(view.std),
  };
}
