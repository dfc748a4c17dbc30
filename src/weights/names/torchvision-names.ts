/** The names of torchvision.models.vision_transformer. */
import { partsOfBlock, plain, splitName, type Dialect, type FileTensors } from './slot-source.js';

const NAMES: Readonly<Record<string, string>> = {
  cls_token: 'class_token',
  pos_embed: 'encoder.pos_embedding',
  'patch_embed.proj': 'conv_proj',
  norm: 'encoder.ln',
  'pre_logits.fc': 'heads.pre_logits',
  head: 'heads.head',
};

const BLOCK_NAMES: Readonly<Record<string, string>> = {
  norm1: 'ln_1',
  'attn.proj': 'self_attention.out_proj',
  norm2: 'ln_2',
  'mlp.fc1': 'mlp.0',
  'mlp.fc2': 'mlp.3',
};

/** Names of the MLP before torchvision 0.12.1. */
const OLD_NAMES: Readonly<Record<string, string>> = { 'mlp.fc1': 'mlp.linear_1', 'mlp.fc2': 'mlp.linear_2' };

function ofBlock(block: string, part: string, tensors: FileTensors): string | null {
  const prefix = `encoder.layers.encoder_layer_${block}`;
  const [layer, kind] = splitName(part);
  if (layer === 'attn.qkv') return `${prefix}.self_attention.in_proj_${kind}`;
  const name = BLOCK_NAMES[layer];
  if (name === undefined) return null;
  const old = `${prefix}.${OLD_NAMES[layer] ?? ''}.${kind}`;
  return tensors.has(old) ? old : `${prefix}.${name}.${kind}`;
}

export function torchvisionDialect(tensors: FileTensors): Dialect | null {
  const prefix = ['', 'module.'].find((text) => tensors.has(`${text}conv_proj.weight`));
  if (prefix === undefined || !tensors.has(`${prefix}encoder.pos_embedding`)) return null;
  return (slot) => {
    const inBlock = partsOfBlock(slot);
    if (inBlock !== null) {
      const name = ofBlock(inBlock.block, inBlock.part, tensors);
      return name === null ? null : plain(prefix + name);
    }
    if (NAMES[slot] !== undefined) return plain(prefix + NAMES[slot]);
    const [layer, kind] = splitName(slot);
    return NAMES[layer] === undefined ? null : plain(`${prefix}${NAMES[layer]}.${kind}`);
  };
}
