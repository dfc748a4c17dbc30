/** Names and arguments of torchvision's `VisionTransformer`, and what it cannot express. Pure. */
import { PAPER_FEATURES } from '../../run/model/model-features.js';
import type { ModelSpec } from '../../run/model/model-spec.js';

/** LayerScale is refused in words of its own; zeros stand for the positions and biases that a model does not have. */
const ALSO_EXPRESSED: readonly (keyof typeof PAPER_FEATURES)[] = ['layerScale', 'positions', 'qkvBias'];

export function torchvisionObstacle(spec: ModelSpec): string | null {
  if (spec.gelu !== 'erf') return 'its GELU is the exact one (--gelu erf), and the model has the tanh form';
  const features = Object.keys(PAPER_FEATURES) as (keyof typeof PAPER_FEATURES)[];
  const other = features.find((key) => !ALSO_EXPRESSED.includes(key) && spec[key] !== PAPER_FEATURES[key]);
  if (other !== undefined) return `its ${other} is ${PAPER_FEATURES[other]}, the model's is ${spec[other]}`;
  return spec.layerScale > 0 ? 'it has no LayerScale' : null;
}

const FIXED: Readonly<Record<string, string>> = {
  cls_token: 'class_token',
  pos_embed: 'encoder.pos_embedding',
};

const MODULES: Readonly<Record<string, string>> = {
  'patch_embed.proj': 'conv_proj',
  norm: 'encoder.ln',
  head: 'heads.head',
  'pre_logits.fc': 'heads.pre_logits',
};

const OF_A_BLOCK: Readonly<Record<string, string>> = {
  'norm1.weight': 'ln_1.weight',
  'norm1.bias': 'ln_1.bias',
  'attn.qkv.weight': 'self_attention.in_proj_weight',
  'attn.qkv.bias': 'self_attention.in_proj_bias',
  'attn.proj.weight': 'self_attention.out_proj.weight',
  'attn.proj.bias': 'self_attention.out_proj.bias',
  'norm2.weight': 'ln_2.weight',
  'norm2.bias': 'ln_2.bias',
  'mlp.fc1.weight': 'mlp.0.weight',
  'mlp.fc1.bias': 'mlp.0.bias',
  'mlp.fc2.weight': 'mlp.3.weight',
  'mlp.fc2.bias': 'mlp.3.bias',
};

/** torchvision's name of a parameter of a model without obstacle. */
export function torchvisionName(name: string): string {
  const [, layer, inside] = /^blocks\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (layer !== undefined) return `encoder.layers.encoder_layer_${layer}.${OF_A_BLOCK[inside!]!}`;
  const [, module, leaf] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
  return FIXED[name] ?? `${MODULES[module!]!}.${leaf!}`;
}

/**
 * `config.json` for vitrail itself and for people, because torchvision has no such file: the arguments of its
 * `VisionTransformer`, and the classes in the order of the logits.
 */
export function torchvisionConfig(spec: ModelSpec, classes: readonly string[]): Record<string, unknown> {
  const more = spec.preLogits > 0 ? { representation_size: spec.preLogits } : {};
  const sizes = {
    image_size: spec.imageSize,
    patch_size: spec.patch,
    num_layers: spec.layers,
    num_heads: spec.heads,
    hidden_dim: spec.hidden,
    mlp_dim: spec.mlp,
    num_classes: spec.classes,
  };
  return {
    architecture: 'torchvision.models.VisionTransformer',
    model_args: Object.assign(sizes, more),
    id2label: Object.fromEntries(classes.map((name, i) => [String(i), name])),
  };
}
