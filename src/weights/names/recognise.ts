/** Finds out which model a file's names and shapes describe. */
import { coded, type VitrailError } from '../../errors/errors.js';
import { PAPER_FEATURES, type ModelFeatures } from '../../run/model/model-features.js';
import { CHANNELS, modelNameOf, type ModelSpec } from '../../run/model/model-spec.js';
import { parameterLayout } from '../../run/model/parameter-layout.js';
import { elementCount } from '../format/element-types.js';
import { huggingFaceDialect } from './hugging-face-names.js';
import { jaxDialect, jaxHeads } from './jax-names.js';
import { libraryFacts, usualHeads } from './library-facts.js';
import { unknownFeature } from './unknown-features.js';
import { fits } from './shape-fit.js';
import { tensorsOf, type Dialect, type FileTensors, type SlotSource } from './slot-source.js';
import type { Library, SourceHints, SourceModel } from './source-model.js';
import { timmDialect } from './timm-names.js';
import { torchvisionDialect } from './torchvision-names.js';

const DIALECTS: readonly (readonly [Library, (tensors: FileTensors) => Dialect | null])[] = [
  ['timm', timmDialect],
  ['Hugging Face', huggingFaceDialect],
  ['torchvision', torchvisionDialect],
  ['vit_jax', jaxDialect],
];

function unknown(path: string, problem: string): VitrailError {
  return coded('WEIGHTS_NAMES_UNKNOWN', { path, problem });
}

function dialectOf(path: string, tensors: FileTensors): readonly [Library, Dialect] {
  for (const [library, find] of DIALECTS) {
    const dialect = find(tensors);
    if (dialect !== null) return [library, dialect];
  }
  const [first] = tensors.keys();
  const seen = first === undefined ? 'it has no tensors' : `it has ${first} and no patch embedding`;
  throw unknown(path, seen);
}

/** Sizes of slots, as far as the file has what they are made from. */
class Sizes {
  readonly #tensors: FileTensors;
  readonly #dialect: Dialect;

  constructor(tensors: FileTensors, dialect: Dialect) {
    this.#tensors = tensors;
    this.#dialect = dialect;
  }

  has(slot: string): boolean {
    const source = this.#dialect(slot);
    return source?.tensors.every((name) => this.#tensors.has(name)) ?? false;
  }

  /** Elements; 0 for what is missing. */
  count(slot: string): number {
    const source = this.#dialect(slot);
    if (source === null || !this.has(slot)) return 0;
    return source.tensors.reduce((sum, name) => sum + elementCount(this.#tensors.get(name)!.shape), 0);
  }

  /** The shape of a slot that one tensor makes, in our order of axes. */
  shape(slot: string): readonly number[] {
    const { tensors = [], axes } = this.#dialect(slot) ?? {};
    const shape = this.#tensors.get(tensors[0] ?? '')?.shape ?? [];
    return axes === undefined ? shape : axes.map((axis) => shape[axis] ?? 0);
  }
}

function isSquare(count: number): boolean {
  return count > 0 && Number.isInteger(Math.sqrt(count));
}

interface Grid {
  readonly side: number;
  readonly positions: ModelFeatures['positions'];
  /** Whether the class token has a position and other tokens before the patches do not (Dinov2WithRegisters). */
  readonly classOnly: boolean;
}

/** Whether registers are those of Hugging Face's Dinov2WithRegisters, which have no positions. */
function areUnplaced(dialect: Dialect): boolean {
  return dialect('reg_token')?.tensors.some((name) => name.endsWith('register_tokens')) ?? false;
}

/**
 * The grid of patches, from the rows of the position embedding and the tokens before the patches.
 * @param classOnly as in Grid; with few patches, the number of rows alone could mean another grid
 */
function gridOf(path: string, rows: number, prefix: number, classOnly: boolean): Grid {
  const positioned = classOnly ? 1 : prefix;
  if (isSquare(rows - positioned)) {
    const positions = classOnly ? 'patches' : 'all-tokens';
    return { side: Math.sqrt(rows - positioned), positions, classOnly };
  }
  if (isSquare(rows)) return { side: Math.sqrt(rows), positions: 'patches', classOnly: false };
  throw coded('WEIGHTS_FEATURE_MISSING', { path, feature: `${rows} positions, which are no square grid` });
}

/** If only the class token has a position beside the patches, the sum of both is a class token without one. */
function withFoldedPosition(dialect: Dialect, rows: number): Dialect {
  return (slot) => {
    const source = dialect(slot);
    if (source === null) return null;
    const positions = (from: number, to: number): SlotSource => ({
      tensors: dialect('pos_embed')!.tensors,
      rows: [from, to],
    });
    if (slot === 'cls_token') return { tensors: source.tensors, plus: positions(0, 1) };
    return slot === 'pos_embed' ? positions(1, rows) : source;
  };
}

function blocksIn(sizes: Sizes): number {
  let layers = 0;
  while (sizes.has(`blocks.${layers}.norm1.weight`)) layers++;
  return layers;
}

/** Every parameter must be there in its shape, and nothing that computes may be left over. */
function check(path: string, tensors: FileTensors, { spec, sources }: SourceModel): void {
  const used = new Set<string>();
  for (const { name, shape, length } of parameterLayout(spec).slots) {
    if (length === 0) continue;
    const source = sources(name);
    if (source === null) throw unknown(path, `it has nothing for ${name}`);
    for (const tensor of tensorsOf(source)) {
      if (!tensors.has(tensor)) throw unknown(path, `it has no ${tensor}`);
      used.add(tensor);
    }
    const problem = source.rows === undefined ? fits(source, tensors, shape) : null;
    if (problem !== null) throw unknown(path, `${problem}, and ${name} is [${shape.join(', ')}]`);
  }
  const feature = unknownFeature(tensors.keys(), used);
  if (feature !== null) throw coded('WEIGHTS_FEATURE_MISSING', { path, feature });
}

/**
 * The model that a file's names and shapes describe.
 * @throws WEIGHTS_NAMES_UNKNOWN, WEIGHTS_FEATURE_MISSING
 */
export function recognise(path: string, tensors: FileTensors, hints: SourceHints): SourceModel {
  const [library, dialect] = dialectOf(path, tensors);
  const facts = libraryFacts(path, library, hints);
  const sizes = new Sizes(tensors, dialect);
  const [hidden = 0, channels = 0, patch = 0, across = 0] = sizes.shape('patch_embed.proj.weight');
  const layers = blocksIn(sizes);
  if (channels !== CHANNELS) {
    throw coded('WEIGHTS_FEATURE_MISSING', { path, feature: `images of ${channels} channels` });
  }
  if (hidden === 0 || patch === 0 || patch !== across) throw unknown(path, 'its patches are not square');
  if (layers === 0) throw unknown(path, 'it has no encoder blocks');
  if (!sizes.has('cls_token')) {
    throw coded('WEIGHTS_FEATURE_MISSING', { path, feature: 'no class token' });
  }
  const registers = sizes.count('reg_token') / hidden;
  const distillation = sizes.has('dist_token');
  const rows = sizes.count('pos_embed') / hidden;
  const prefix = 1 + registers + (distillation ? 1 : 0);
  const grid = gridOf(path, rows, prefix, registers > 0 && areUnplaced(dialect));
  const classes = sizes.count('head.bias');
  const width = classes === 0 ? hidden : sizes.count('head.weight') / classes;
  const preLogits = sizes.count('pre_logits.fc.bias');
  const afterPooling = sizes.has('fc_norm.weight');
  const pooled = (facts.averages ?? afterPooling) ? 'average' : 'class-token';
  const mlp = sizes.count('blocks.0.mlp.fc1.weight') / hidden;
  const heads = facts.heads ?? jaxHeads(tensors) ?? hints.heads ?? usualHeads(hidden);
  if (hidden % heads !== 0) throw unknown(path, `${heads} heads do not divide its width of ${hidden}`);
  const spec: ModelSpec = {
    name: modelNameOf({ layers, hidden, mlp, heads }, patch),
    layers,
    hidden,
    mlp,
    heads,
    patch,
    imageSize: grid.side * patch,
    classes,
    preLogits,
    gelu: facts.gelu,
    pooling: width === 2 * hidden && preLogits === 0 ? 'class-token-and-average' : pooled,
    lastNorm: afterPooling ? 'after-pooling' : 'before-pooling',
    layerScale: sizes.has('blocks.0.ls1.gamma') ? LAYER_SCALE : PAPER_FEATURES.layerScale,
    registers,
    distillation,
    layerNormEpsilon: facts.layerNormEpsilon,
    qkvBias: sizes.has('blocks.0.attn.qkv.bias'),
    positions: grid.positions,
  };
  const sources = grid.classOnly ? withFoldedPosition(dialect, rows) : dialect;
  const model = { library, spec, sources };
  check(path, tensors, model);
  return model;
}

/** Only says that there is LayerScale: its factors come from the file. */
const LAYER_SCALE = 1e-5;
