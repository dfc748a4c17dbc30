/** The names of vit_jax's .npz files, whose kernels are [in, out] and whose attention has an axis for the heads. */
import {
  partsOfBlock,
  plain,
  splitName,
  type Dialect,
  type FileTensors,
  type SlotSource,
} from './slot-source.js';

/** Flax's names of the two parameters of a LayerNorm and of a linear layer. */
const NORM_KINDS: Readonly<Record<string, string>> = { weight: 'scale', bias: 'bias' };
const LINEAR_KINDS: Readonly<Record<string, string>> = { weight: 'kernel', bias: 'bias' };

const ATTENTION = 'MultiHeadDotProductAttention_1';

function linear(name: string, kind: string): SlotSource {
  const tensors = [`${name}/${LINEAR_KINDS[kind]}`];
  return kind === 'weight' ? { tensors, axes: [1, 0] } : { tensors };
}

function norm(name: string, kind: string): SlotSource {
  return plain(`${name}/${NORM_KINDS[kind]}`);
}

function ofBlock(block: string, part: string): SlotSource | null {
  const prefix = `Transformer/encoderblock_${block}`;
  const [layer, kind] = splitName(part);
  const inAttention = (name: string): string => `${prefix}/${ATTENTION}/${name}/${LINEAR_KINDS[kind]}`;
  switch (layer) {
    case 'norm1':
      return norm(`${prefix}/LayerNorm_0`, kind);
    case 'norm2':
      return norm(`${prefix}/LayerNorm_2`, kind);
    case 'attn.qkv': {
      const tensors = ['query', 'key', 'value'].map(inAttention);
      // [D, heads, width] and [heads, width]
      return kind === 'weight' ? { tensors, axes: [1, 2, 0] } : { tensors };
    }
    case 'attn.proj':
      // [heads, width, D]
      return kind === 'weight'
        ? { tensors: [inAttention('out')], axes: [2, 0, 1] }
        : plain(inAttention('out'));
    case 'mlp.fc1':
      return linear(`${prefix}/MlpBlock_3/Dense_0`, kind);
    case 'mlp.fc2':
      return linear(`${prefix}/MlpBlock_3/Dense_1`, kind);
    default:
      return null;
  }
}

export function jaxDialect(tensors: FileTensors): Dialect | null {
  if (!tensors.has('embedding/kernel') || !tensors.has('Transformer/encoder_norm/scale')) return null;
  return (slot) => {
    const inBlock = partsOfBlock(slot);
    if (inBlock !== null) return ofBlock(inBlock.block, inBlock.part);
    if (slot === 'cls_token') return plain('cls');
    if (slot === 'pos_embed') return plain('Transformer/posembed_input/pos_embedding');
    const [layer, kind] = splitName(slot);
    // [P, P, C, D]
    if (slot === 'patch_embed.proj.weight') return { tensors: ['embedding/kernel'], axes: [3, 2, 0, 1] };
    if (layer === 'patch_embed.proj') return linear('embedding', kind);
    if (layer === 'norm') return norm('Transformer/encoder_norm', kind);
    if (layer === 'pre_logits.fc') return linear('pre_logits', kind);
    return layer === 'head' ? linear('head', kind) : null;
  };
}

/** Heads of the attention, which the shapes tell. */
export function jaxHeads(tensors: FileTensors): number | null {
  const shape = tensors.get(`Transformer/encoderblock_0/${ATTENTION}/query/kernel`)?.shape;
  return shape?.length === 3 ? shape[1]! : null;
}
