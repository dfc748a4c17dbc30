/** The shape of a Vision Transformer: Table 1 of the paper, the smaller sizes of DeiT, and vit-micro. */
import { coded } from '../../errors/errors.js';
import { modelFeatures, type FeatureOptions, type ModelFeatures } from './model-features.js';
import { suggestedModel } from './model-names.js';

export type GeluForm = 'tanh' | 'erf';

/** Everything that decides which function a model computes, and nothing else. */
export interface ModelSpec extends ModelFeatures {
  /** Canonical name, for example `vit-b/16`. */
  readonly name: string;
  readonly layers: number;
  /** D of the paper. */
  readonly hidden: number;
  readonly mlp: number;
  readonly heads: number;
  /** P of the paper, in pixels. */
  readonly patch: number;
  /** Side of the square input, in pixels. */
  readonly imageSize: number;
  readonly classes: number;
  /** Width of the tanh layer before the head; 0 for none. */
  readonly preLogits: number;
  readonly gelu: GeluForm;
}

export const CHANNELS = 3;

interface Size {
  readonly layers: number;
  readonly hidden: number;
  readonly mlp: number;
  readonly heads: number;
}

/** B, L, H: Table 1. Ti, S: DeiT (arXiv 2012.12877, Table 1). micro: for first runs and tests. */
const MODEL_SIZES: Readonly<Record<string, Size>> = {
  micro: { layers: 4, hidden: 64, mlp: 256, heads: 2 },
  ti: { layers: 12, hidden: 192, mlp: 768, heads: 3 },
  s: { layers: 12, hidden: 384, mlp: 1536, heads: 6 },
  b: { layers: 12, hidden: 768, mlp: 3072, heads: 12 },
  l: { layers: 24, hidden: 1024, mlp: 4096, heads: 16 },
  h: { layers: 32, hidden: 1280, mlp: 5120, heads: 16 },
};

export interface ModelOptions extends FeatureOptions {
  readonly imageSize: number;
  readonly classes: number;
  readonly preLogits?: number;
  readonly gelu?: GeluForm;
}

const NAME = /^(?:vit-)?([a-z]+|\d+x\d+x\d+x\d+)\/(\d+)$/;

/** The size that a name means: one of the table, or LAYERSxHIDDENxMLPxHEADS. */
function sizeCalled(name: string): Size | undefined {
  if (Object.hasOwn(MODEL_SIZES, name)) return MODEL_SIZES[name];
  const [layers = 0, hidden = 0, mlp = 0, heads = 0] = name.split('x').map(Number);
  const sound = [layers, hidden, mlp, heads].every((side) => side >= 1) && hidden % heads === 0;
  return sound ? { layers, hidden, mlp, heads } : undefined;
}

/** The name of a model of any size: that of the table if it is there, else one that says the size. */
export function modelNameOf({ layers, hidden, mlp, heads }: Size, patch: number): string {
  const numbers = `${layers}x${hidden}x${mlp}x${heads}`;
  const known = Object.entries(MODEL_SIZES).find(
    ([, size]) => `${size.layers}x${size.hidden}x${size.mlp}x${size.heads}` === numbers,
  );
  return `vit-${known?.[0] ?? numbers}/${patch}`;
}

/**
 * The model called `name` (SIZE/PATCH, in any case, with or without `vit-`; SIZE is a letter or LAYERSxHIDDENxMLPxHEADS).
 * @throws MODEL_UNKNOWN, MODEL_PATCH_DOES_NOT_DIVIDE, MODEL_FEATURES_CONFLICT
 */
export function modelSpec(name: string, options: ModelOptions): ModelSpec {
  const match = NAME.exec(name.toLowerCase());
  const size = sizeCalled(match?.[1] ?? '');
  const patch = Number(match?.[2]);
  if (size === undefined || !(patch >= 1)) {
    const sizes = Object.keys(MODEL_SIZES).map((s) => `vit-${s}`);
    throw coded('MODEL_UNKNOWN', { model: name, sizes: sizes.join(', '), suggestion: suggestedModel(name) });
  }
  const { imageSize, classes, preLogits = 0, gelu = 'tanh' } = options;
  if (imageSize % patch !== 0) {
    const suggestion = Math.max(1, Math.round(imageSize / patch)) * patch;
    throw coded('MODEL_PATCH_DOES_NOT_DIVIDE', { imageSize, patch, suggestion });
  }
  const shape = { name: modelNameOf(size, patch), patch, imageSize, classes, preLogits, gelu };
  return { ...shape, ...size, ...modelFeatures(options, preLogits) };
}

/** Heads of the model called `name`; null for a name of no model. */
export function headsOfModel(name: string): number | null {
  return sizeCalled(NAME.exec(name.toLowerCase())?.[1] ?? '')?.heads ?? null;
}

/** N of the paper: (imageSize / P)^2, without the class token. */
export function patchCount(spec: Pick<ModelSpec, 'imageSize' | 'patch'>): number {
  return (spec.imageSize / spec.patch) ** 2;
}

/** Values in a flattened patch: P^2 C. */
export function patchLength(spec: Pick<ModelSpec, 'patch'>): number {
  return spec.patch * spec.patch * CHANNELS;
}

/** Tokens before those of the patches: class token, distillation token, registers, in this order. */
function prefixCount(spec: Pick<ModelSpec, 'distillation' | 'registers'>): number {
  return 1 + (spec.distillation ? 1 : 0) + spec.registers;
}

/** S: all tokens of an image. */
export function tokenCount(
  spec: Pick<ModelSpec, 'imageSize' | 'patch' | 'distillation' | 'registers'>,
): number {
  return prefixCount(spec) + patchCount(spec);
}

/** Rows of the position embedding. */
export function positionCount(spec: ModelSpec): number {
  return spec.positions === 'patches' ? patchCount(spec) : tokenCount(spec);
}

/** Values that the head, or the layer before it, sees of an image. */
export function featureWidth(spec: Pick<ModelSpec, 'hidden' | 'pooling'>): number {
  return spec.pooling === 'class-token-and-average' ? 2 * spec.hidden : spec.hidden;
}

/** W: values of an image that its logits are computed from. A distilled model's two heads see a token each. */
export function headInputs(spec: Pick<ModelSpec, 'hidden' | 'pooling' | 'distillation'>): number {
  return spec.distillation ? 2 * spec.hidden : featureWidth(spec);
}
