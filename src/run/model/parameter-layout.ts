/**
 * Names, shapes and order of a model's parameters in one flat float32 array.
 * Names and shapes are those of timm's VisionTransformer; the order here is the order of digests and transfers.
 */
import { CHANNELS, featureWidth, positionCount, type ModelSpec } from './model-spec.js';

/** What a parameter is: it decides initialisation and weight decay. */
export type ParameterKind = 'kernel' | 'bias' | 'norm-scale' | 'norm-shift' | 'layer-scale' | 'embedding';

export interface ParameterSlot {
  readonly name: string;
  /** PyTorch's shape: linear kernels are [out, in], the patch kernel is [D, C, P, P]. */
  readonly shape: readonly number[];
  readonly kind: ParameterKind;
  /** First element in the flat array. */
  readonly offset: number;
  /** Number of elements. */
  readonly length: number;
}

export interface ParameterLayout {
  readonly slots: readonly ParameterSlot[];
  /** Elements in total. */
  readonly length: number;
}

type Entry = readonly [name: string, shape: readonly number[], kind: ParameterKind];

function linear(name: string, out: number, into: number): Entry[] {
  return [
    [`${name}.weight`, [out, into], 'kernel'],
    [`${name}.bias`, [out], 'bias'],
  ];
}

function layerNorm(name: string, width: number): Entry[] {
  return [
    [`${name}.weight`, [width], 'norm-scale'],
    [`${name}.bias`, [width], 'norm-shift'],
  ];
}

function layerScale(name: string, { layerScale, hidden }: ModelSpec): Entry[] {
  return layerScale > 0 ? [[`${name}.gamma`, [hidden], 'layer-scale']] : [];
}

function block(name: string, spec: ModelSpec): Entry[] {
  const { hidden, mlp, qkvBias } = spec;
  const [qkvKernel, qkvBiases] = linear(`${name}.attn.qkv`, 3 * hidden, hidden) as [Entry, Entry];
  return [
    ...layerNorm(`${name}.norm1`, hidden),
    qkvKernel,
    ...(qkvBias ? [qkvBiases] : []),
    ...linear(`${name}.attn.proj`, hidden, hidden),
    ...layerScale(`${name}.ls1`, spec),
    ...layerNorm(`${name}.norm2`, hidden),
    ...linear(`${name}.mlp.fc1`, mlp, hidden),
    ...linear(`${name}.mlp.fc2`, hidden, mlp),
    ...layerScale(`${name}.ls2`, spec),
  ];
}

/** The name of the last LayerNorm, which tells where it stands. */
export function lastNormName({ lastNorm }: Pick<ModelSpec, 'lastNorm'>): 'norm' | 'fc_norm' {
  return lastNorm === 'after-pooling' ? 'fc_norm' : 'norm';
}

function tokens({ hidden, registers, distillation }: ModelSpec): Entry[] {
  const list: Entry[] = [['cls_token', [1, 1, hidden], 'embedding']];
  if (distillation) list.push(['dist_token', [1, 1, hidden], 'embedding']);
  if (registers > 0) list.push(['reg_token', [1, registers, hidden], 'embedding']);
  return list;
}

function entries(spec: ModelSpec): Entry[] {
  const { hidden, patch, layers, classes, preLogits, distillation } = spec;
  const list: Entry[] = [
    ...tokens(spec),
    ['pos_embed', [1, positionCount(spec), hidden], 'embedding'],
    ['patch_embed.proj.weight', [hidden, CHANNELS, patch, patch], 'kernel'],
    ['patch_embed.proj.bias', [hidden], 'bias'],
  ];
  for (let i = 0; i < layers; i++) list.push(...block(`blocks.${i}`, spec));
  list.push(...layerNorm(lastNormName(spec), hidden));
  if (preLogits > 0) list.push(...linear('pre_logits.fc', preLogits, featureWidth(spec)));
  const headInput = preLogits > 0 ? preLogits : featureWidth(spec);
  list.push(...linear('head', classes, headInput));
  if (distillation) list.push(...linear('head_dist', classes, headInput));
  return list;
}

/** The layout of `spec`'s parameters: contiguous, in the order of the list above. */
export function parameterLayout(spec: ModelSpec): ParameterLayout {
  const slots: ParameterSlot[] = [];
  let offset = 0;
  for (const [name, shape, kind] of entries(spec)) {
    const length = shape.reduce((product, side) => product * side, 1);
    slots.push({ name, shape, kind, offset, length });
    offset += length;
  }
  return { slots, length: offset };
}
