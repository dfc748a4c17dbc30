/** Initial weights from keyed random numbers, by the rules of vit_jax, timm and torchvision. */
import { patchLength, type ModelSpec } from '../../run/model/model-spec.js';
import { parameterLayout, type ParameterSlot } from '../../run/model/parameter-layout.js';
import { KeyedRandom, PURPOSE } from '../../numbers/random/keyed-random.js';

export const INITIALISATIONS = ['vit-jax', 'timm', 'torchvision'] as const;
export type Initialisation = (typeof INITIALISATIONS)[number];

/** Draws one value of a parameter. */
type Draw = (random: KeyedRandom) => number;

const constant =
  (value: number): Draw =>
  () =>
    value;

const normal =
  (deviation: number): Draw =>
  (random) =>
    deviation * random.normal();

const uniform =
  (limit: number): Draw =>
  (random) =>
    limit * (2 * random.uniform() - 1);

/** Normal, drawn again if it is more than `cut` deviations from 0. */
const truncatedNormal =
  (deviation: number, cut: number): Draw =>
  (random) => {
    let z = random.normal();
    while (Math.abs(z) > cut) z = random.normal();
    return deviation * z;
  };

/**
 * Deviation of a standard normal cut at +-2. flax divides by it, so that the values have the intended
 * deviation.
 */
const DEVIATION_CUT_AT_2 = 0.87962566103423978;

const leCunNormal = (fanIn: number): Draw => truncatedNormal(Math.sqrt(1 / fanIn) / DEVIATION_CUT_AT_2, 2);
const xavierUniform = (fanIn: number, fanOut: number): Draw => uniform(Math.sqrt(6 / (fanIn + fanOut)));
/** torch's trunc_normal_ with its default bounds of +-2 (absolute, not in deviations). */
const torchTruncated = (deviation: number): Draw => truncatedNormal(deviation, 2 / deviation);

const ZERO = constant(0);
const ONE = constant(1);

function fanIn(slot: ParameterSlot): number {
  return slot.length / slot.shape[0]!;
}

/** google-research/vision_transformer, models_vit.py, with flax's default initialisers. */
function vitJax(slot: ParameterSlot, spec: ModelSpec): Draw {
  const { name } = slot;
  const { hidden } = spec;
  if (name === 'pos_embed') return normal(0.02);
  if (name === 'patch_embed.proj.weight' || name === 'pre_logits.fc.weight') return leCunNormal(fanIn(slot));
  // q, k and v are D x D each, whatever the packing.
  if (/\.attn\.(qkv|proj)\.weight$/.test(name)) return xavierUniform(hidden, hidden);
  if (/\.mlp\.fc\d\.weight$/.test(name)) return xavierUniform(fanIn(slot), slot.shape[0]!);
  if (/\.mlp\.fc\d\.bias$/.test(name)) return normal(1e-6);
  return slot.kind === 'norm-scale' ? ONE : ZERO;
}

/** timm's VisionTransformer with weight_init='' (init_weights_vit_timm). */
function timm(slot: ParameterSlot, spec: ModelSpec): Draw {
  const { name, kind } = slot;
  if (/^(cls|dist|reg)_token$/.test(name)) return normal(name === 'dist_token' ? 0.02 : 1e-6);
  if (name === 'pos_embed') return torchTruncated(0.02);
  // PyTorch's default for a convolution, bias included: uniform up to 1 / sqrt(fan in).
  if (name.startsWith('patch_embed.')) return uniform(Math.sqrt(1 / patchLength(spec)));
  if (kind === 'kernel') return torchTruncated(0.02);
  return kind === 'norm-scale' ? ONE : ZERO;
}

/** torchvision.models.VisionTransformer and torch.nn.MultiheadAttention. */
function torchvision(slot: ParameterSlot): Draw {
  const { name } = slot;
  if (name === 'pos_embed') return normal(0.02);
  if (name === 'patch_embed.proj.weight' || name === 'pre_logits.fc.weight') {
    return torchTruncated(Math.sqrt(1 / fanIn(slot)));
  }
  if (name.endsWith('.attn.qkv.weight')) return xavierUniform(fanIn(slot), slot.shape[0]!);
  // PyTorch's default for a linear layer.
  if (name.endsWith('.attn.proj.weight')) return uniform(Math.sqrt(1 / fanIn(slot)));
  if (/\.mlp\.fc\d\.weight$/.test(name)) return xavierUniform(fanIn(slot), slot.shape[0]!);
  if (/\.mlp\.fc\d\.bias$/.test(name)) return normal(1e-6);
  return slot.kind === 'norm-scale' ? ONE : ZERO;
}

const SCHEMES: Readonly<Record<Initialisation, (slot: ParameterSlot, spec: ModelSpec) => Draw>> = {
  'vit-jax': vitJax,
  timm,
  torchvision,
};

/**
 * The flat initial weights in the order of `parameterLayout(spec)`. Every parameter has its own random stream
 * (seed, slot index), so that one layer's size does not shift another's values.
 */
export function initialWeights(spec: ModelSpec, scheme: Initialisation, seed: number): Float32Array {
  const layout = parameterLayout(spec);
  const flat = new Float32Array(layout.length);
  for (const [index, slot] of layout.slots.entries()) {
    const random = new KeyedRandom(seed, PURPOSE.initialisation, index);
    const draw = slot.kind === 'layer-scale' ? constant(spec.layerScale) : SCHEMES[scheme](slot, spec);
    for (let i = 0; i < slot.length; i++) flat[slot.offset + i] = draw(random);
  }
  return flat;
}
