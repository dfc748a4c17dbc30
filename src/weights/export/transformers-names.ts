/** Names of Hugging Face's ViT, DeiT, Dinov2 and Dinov2WithRegisters, and what they cannot express. Pure. */
import type { ModelSpec } from '../../run/model/model-spec.js';

export type TransformersType = 'vit' | 'deit' | 'dinov2' | 'dinov2_with_registers';

/**
 * The model type of `transformers` that computes the same: its word in `config.json`, before every name. Dinov2 can do more than
 * ViT: it has LayerScale, whose factors may be one, and a head for class token and average, in which one may have zeros.
 */
export function transformersType(spec: ModelSpec): TransformersType {
  const { distillation, pooling, registers, layerScale } = spec;
  if (distillation) return 'deit';
  if (registers > 0) return 'dinov2_with_registers';
  return pooling === 'class-token' && layerScale === 0 ? 'vit' : 'dinov2';
}

export function transformersObstacle(spec: ModelSpec): string | null {
  if (spec.preLogits > 0) return 'no model of transformers has a tanh layer before its head';
  if (spec.lastNorm === 'after-pooling') return 'its last LayerNorm comes before pooling';
  if (transformersType(spec).startsWith('dinov2') && spec.mlp % spec.hidden !== 0) {
    return `its Dinov2 has an MLP of a whole multiple of the width, and the model's are ${spec.mlp} and ${spec.hidden}`;
  }
  if (!spec.distillation) return null;
  if (spec.registers > 0) return 'its models with a distillation token have no registers';
  return spec.layerScale > 0 ? 'its models with a distillation token have no LayerScale' : null;
}

const EMBEDDINGS: Readonly<Record<string, string>> = {
  cls_token: 'cls_token',
  dist_token: 'distillation_token',
  reg_token: 'register_tokens',
  mask_token: 'mask_token',
  pos_embed: 'position_embeddings',
  'patch_embed.proj.weight': 'patch_embeddings.projection.weight',
  'patch_embed.proj.bias': 'patch_embeddings.projection.bias',
};

const OF_A_BLOCK: Readonly<Record<string, string>> = {
  norm1: 'layernorm_before',
  'attn.proj': 'attention.output.dense',
  norm2: 'layernorm_after',
  'mlp.fc1': 'intermediate.dense',
  'mlp.fc2': 'output.dense',
};

/** Dinov2's own names, where they differ. */
const OF_A_DINOV2_BLOCK: Readonly<Record<string, string>> = {
  norm1: 'norm1',
  norm2: 'norm2',
  'mlp.fc1': 'mlp.fc1',
  'mlp.fc2': 'mlp.fc2',
};

function nameInBlock(type: TransformersType, module: string, leaf: string): string[] {
  if (module === 'attn.qkv') {
    return ['query', 'key', 'value'].map((part) => `attention.attention.${part}.${leaf}`);
  }
  if (leaf === 'gamma') return [`layer_scale${module.slice(-1)}.lambda1`];
  const own = type === 'vit' || type === 'deit' ? undefined : OF_A_DINOV2_BLOCK[module];
  return [`${own ?? OF_A_BLOCK[module]!}.${leaf}`];
}

/** The names of a parameter; three for the fused projection, whose parts lie one after the other. */
export function transformersName(spec: ModelSpec, name: string): string[] {
  const type = transformersType(spec);
  const embedding = EMBEDDINGS[name];
  if (embedding !== undefined) return [`${type}.embeddings.${embedding}`];
  const [, layer, module, leaf] = /^blocks\.(\d+)\.(.+)\.(weight|bias|gamma)$/.exec(name) ?? [];
  if (layer !== undefined) {
    return nameInBlock(type, module!, leaf!).map((inside) => `${type}.encoder.layer.${layer}.${inside}`);
  }
  const [, top, end] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
  if (top === 'norm') return [`${type}.layernorm.${end!}`];
  if (top === 'head_dist') return [`distillation_classifier.${end!}`];
  return [`${type === 'deit' ? 'cls_classifier' : 'classifier'}.${end!}`];
}
