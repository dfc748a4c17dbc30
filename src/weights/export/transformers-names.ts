/** Names of Hugging Face's ViT, DeiT and Dinov2, and what they cannot express. Pure. */
import type { ModelSpec } from '../../run/model/model-spec.js';

/** The model type of `transformers` that computes the same: its word in `config.json`, before every name. */
export function transformersType({ distillation, pooling }: ModelSpec): 'vit' | 'deit' | 'dinov2' {
  if (distillation) return 'deit';
  return pooling === 'class-token-and-average' ? 'dinov2' : 'vit';
}

export function transformersObstacle(spec: ModelSpec): string | null {
  const type = transformersType(spec);
  if (spec.preLogits > 0) return 'no model of transformers has a tanh layer before its head';
  if (spec.registers > 0) return 'registers are not exported to it';
  if (spec.positions === 'patches') return 'its class token has a position';
  if (spec.lastNorm === 'after-pooling') return 'its last LayerNorm comes before pooling';
  if (spec.pooling === 'average') return "its head sees the class token, the model's the average";
  if (type === 'dinov2') return spec.layerScale > 0 ? null : 'Dinov2 has LayerScale';
  return spec.layerScale > 0 ? `${type} has no LayerScale` : null;
}

const EMBEDDINGS: Readonly<Record<string, string>> = {
  cls_token: 'cls_token',
  dist_token: 'distillation_token',
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

function nameInBlock(type: string, module: string, leaf: string): string[] {
  if (module === 'attn.qkv') {
    return ['query', 'key', 'value'].map((part) => `attention.attention.${part}.${leaf}`);
  }
  if (leaf === 'gamma') return [`layer_scale${module.slice(-1)}.lambda1`];
  const own = type === 'dinov2' ? OF_A_DINOV2_BLOCK[module] : undefined;
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
