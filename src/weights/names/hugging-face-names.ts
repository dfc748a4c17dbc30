/** The names of Hugging Face's ViT, DeiT, Dinov2 and Dinov2WithRegisters, which keep q, k and v apart. */
import {
  partsOfBlock,
  plain,
  splitName,
  type Dialect,
  type FileTensors,
  type SlotSource,
} from './slot-source.js';

/** What the classes with a head call the model in them. */
const PREFIXES = ['', 'vit.', 'deit.', 'dinov2.', 'dinov2_with_registers.'];
const PATCHES = 'embeddings.patch_embeddings.projection';

const EMBEDDINGS: Readonly<Record<string, string>> = {
  cls_token: 'embeddings.cls_token',
  dist_token: 'embeddings.distillation_token',
  reg_token: 'embeddings.register_tokens',
  pos_embed: 'embeddings.position_embeddings',
};

/** Names of ViT's and DeiT's layers, and of Dinov2's. */
const BLOCK_NAMES: Readonly<Record<string, readonly string[]>> = {
  norm1: ['layernorm_before', 'norm1'],
  norm2: ['layernorm_after', 'norm2'],
  'attn.proj': ['attention.output.dense', 'attention.o_proj'],
  'mlp.fc1': ['intermediate.dense', 'mlp.fc1'],
  'mlp.fc2': ['output.dense', 'mlp.fc2'],
};

const HEADS: Readonly<Record<string, readonly string[]>> = {
  head: ['cls_classifier', 'classifier'],
  head_dist: ['distillation_classifier'],
};

const ATTENTION: readonly (readonly string[])[] = [
  ['query', 'key', 'value'].map((name) => `attention.attention.${name}`),
  ['q_proj', 'k_proj', 'v_proj'].map((name) => `attention.${name}`),
];

function ofBlock(prefix: string, part: string, tensors: FileTensors): SlotSource | null {
  const [layer, kind] = splitName(part);
  if (layer === 'attn.qkv') {
    const forms = ATTENTION.map((names) => names.map((name) => `${prefix}.${name}.${kind}`));
    return plain(...(forms.find(([query]) => tensors.has(query!)) ?? forms[0]!));
  }
  const scale = /^ls([12])$/.exec(layer)?.[1];
  if (scale !== undefined) return plain(`${prefix}.layer_scale${scale}.lambda1`);
  const names = (BLOCK_NAMES[layer] ?? []).map((name) => `${prefix}.${name}.${kind}`);
  const found = names.find((name) => tensors.has(name)) ?? names[0];
  return found === undefined ? null : plain(found);
}

/**
 * DeiTForImageClassification keeps the distillation token and has no head for it: the token is then a register, which
 * every block sees and no head.
 */
function embedding(slot: string, tensors: FileTensors): string | undefined {
  const hasTeacher = tensors.has('distillation_classifier.weight');
  const hasRegisters = [...tensors.keys()].some((name) => name.endsWith(EMBEDDINGS['reg_token']!));
  if (slot === 'dist_token' && !hasTeacher) return undefined;
  return slot === 'reg_token' && !hasTeacher && !hasRegisters ? EMBEDDINGS['dist_token'] : EMBEDDINGS[slot];
}

export function huggingFaceDialect(tensors: FileTensors): Dialect | null {
  const prefix = PREFIXES.find((text) => tensors.has(`${text}${PATCHES}.weight`));
  if (prefix === undefined) return null;
  const layers = ['encoder.layer', 'layers'].find((name) =>
    [...tensors.keys()].some((t) => t.startsWith(`${prefix}${name}.0.`)),
  );
  return (slot) => {
    const inBlock = partsOfBlock(slot);
    if (inBlock !== null) {
      return ofBlock(`${prefix}${layers ?? 'encoder.layer'}.${inBlock.block}`, inBlock.part, tensors);
    }
    if (EMBEDDINGS[slot] !== undefined) {
      const name = embedding(slot, tensors);
      return name === undefined ? null : plain(prefix + name);
    }
    const [layer, kind] = splitName(slot);
    if (layer === 'patch_embed.proj') return plain(`${prefix}${PATCHES}.${kind}`);
    if (layer === 'norm') return plain(`${prefix}layernorm.${kind}`);
    const heads = (HEADS[layer] ?? []).map((name) => `${name}.${kind}`);
    const found = heads.find((name) => tensors.has(name)) ?? heads[0];
    return found === undefined ? null : plain(found);
  };
}
