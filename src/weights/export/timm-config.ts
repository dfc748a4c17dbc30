/** `config.json` of an exported model for timm, and what timm cannot express. Pure. */
import { cropFractionOf } from '../../run/model/crop-fraction.js';
import type { EvaluationView } from '../../run/model/evaluation-view.js';
import type { ModelSpec } from '../../run/model/model-spec.js';
import { mlpRatio } from './mlp-ratio.js';

/** The epsilon of the LayerNorm that timm's Vision Transformers have if nothing is said; JSON cannot say another. */
const EPSILON = 1e-6;

export function timmObstacle(spec: ModelSpec): string | null {
  if (spec.preLogits > 0) return 'its Vision Transformers have no tanh layer before the head';
  if (spec.pooling === 'class-token-and-average') return 'its head sees class token or average, not both';
  if (spec.layerNormEpsilon !== EPSILON) {
    return `its config has no epsilon, which is ${EPSILON}, and the model's is ${spec.layerNormEpsilon}`;
  }
  return spec.distillation && spec.registers > 0 ? 'its distilled models have no registers' : null;
}

/** Everything by which the model differs from the named architecture, as arguments of timm's VisionTransformer. */
function modelArguments(spec: ModelSpec): Record<string, unknown> {
  const sizes = {
    img_size: spec.imageSize,
    patch_size: spec.patch,
    embed_dim: spec.hidden,
    depth: spec.layers,
    num_heads: spec.heads,
    mlp_ratio: mlpRatio(spec),
    act_layer: spec.gelu === 'erf' ? 'gelu' : 'gelu_tanh',
    qkv_bias: spec.qkvBias,
  };
  const scale = spec.layerScale > 0 ? { init_values: spec.layerScale } : {};
  if (spec.distillation) return Object.assign(sizes, scale);
  return Object.assign(sizes, scale, {
    global_pool: spec.pooling === 'average' ? 'avg' : 'token',
    fc_norm: spec.lastNorm === 'after-pooling',
    reg_tokens: spec.registers,
    no_embed_class: spec.positions === 'patches',
  });
}

/** @param classes names, in the order of the logits */
export function timmConfig(
  spec: ModelSpec,
  view: EvaluationView,
  classes: readonly string[],
): Record<string, unknown> {
  const pool = spec.pooling === 'average' ? 'avg' : 'token';
  return {
    // Any registered one will do, because `model_args` has all sizes.
    architecture: spec.distillation ? 'deit_base_distilled_patch16_224' : 'vit_base_patch16_224',
    num_classes: spec.classes,
    num_features: spec.hidden,
    global_pool: pool,
    model_args: modelArguments(spec),
    pretrained_cfg: {
      num_classes: spec.classes,
      input_size: [3, spec.imageSize, spec.imageSize],
      fixed_input_size: true,
      interpolation: view.interpolation,
      crop_pct: cropFractionOf(view.centerCrop, view.resizeTo),
      crop_mode: view.resize === 'shorter-side' ? 'center' : 'squash',
      mean: view.mean,
      std: view.std,
      pool_size: null,
      first_conv: 'patch_embed.proj',
      classifier: spec.distillation ? ['head', 'head_dist'] : 'head',
      label_names: classes,
    },
  };
}
