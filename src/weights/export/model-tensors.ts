/** A model's weights as tensors that other libraries can take: under our names, and where needed in another form. Pure. */
import { patchCount, tokenCount, type ModelSpec } from '../../run/model/model-spec.js';
import { parameterLayout } from '../../run/model/parameter-layout.js';

/** A stretch of our flat weights, perhaps with another one added to it; or one number again and again. */
export type TensorPart =
  | { readonly kind: 'weights'; readonly offset: number; readonly length: number; readonly plus?: number }
  | { readonly kind: 'constant'; readonly value: number; readonly length: number };

export interface ModelTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Together the elements of the tensor, one part after the other. */
  readonly parts: readonly TensorPart[];
}

export function constant(value: number, length: number): TensorPart {
  return { kind: 'constant', value, length };
}

function stretch(offset: number, length: number): TensorPart {
  return { kind: 'weights', offset, length };
}

/** The tensors as they are. */
export function modelTensors(spec: ModelSpec): ModelTensor[] {
  return parameterLayout(spec).slots.map(({ name, shape, offset, length }) => ({
    name,
    shape,
    parts: [stretch(offset, length)],
  }));
}

function offsetOf(spec: ModelSpec, name: string): number {
  return parameterLayout(spec).slots.find((slot) => slot.name === name)!.offset;
}

/** Tokens without a position get zeros. */
export function withAllPositions(spec: ModelSpec, tensors: readonly ModelTensor[]): ModelTensor[] {
  if (spec.positions === 'all-tokens') return [...tensors];
  const { hidden } = spec;
  const first = tokenCount(spec) - patchCount(spec);
  return tensors.map((tensor) => {
    if (tensor.name !== 'pos_embed') return tensor;
    const shape = [1, tokenCount(spec), hidden];
    return { name: tensor.name, shape, parts: [constant(0, first * hidden), ...tensor.parts] };
  });
}

/** Registers without positions, as in Dinov2WithRegisters: theirs are added to them. The class token keeps one. */
export function withRegistersAlone(spec: ModelSpec, tensors: readonly ModelTensor[]): ModelTensor[] {
  const { hidden, registers } = spec;
  const shape = [1, 1 + patchCount(spec), hidden];
  const patches = patchCount(spec) * hidden;
  const own = offsetOf(spec, 'pos_embed');
  const registerValues = {
    kind: 'weights',
    offset: offsetOf(spec, 'reg_token'),
    length: registers * hidden,
    plus: own + hidden,
  } as const;
  const everyToken = spec.positions === 'all-tokens';
  const positions = everyToken
    ? [stretch(own, hidden), stretch(own + (1 + registers) * hidden, patches)]
    : [constant(0, hidden), stretch(own, patches)];
  return tensors.map((tensor) => {
    const { name } = tensor;
    if (name === 'pos_embed') return { name, shape, parts: positions };
    if (name === 'reg_token' && everyToken) return { name, shape: tensor.shape, parts: [registerValues] };
    return tensor;
  });
}

/** LayerScale with factors of one, for a library whose model has it always. */
export function withLayerScale(spec: ModelSpec, tensors: readonly ModelTensor[]): ModelTensor[] {
  if (spec.layerScale > 0) return [...tensors];
  const ones = (name: string): ModelTensor => ({
    name,
    shape: [spec.hidden],
    parts: [constant(1, spec.hidden)],
  });
  const blocks = Array.from({ length: spec.layers }, (_, i) => `blocks.${i}`);
  return [...tensors, ...blocks.flatMap((block) => [ones(`${block}.ls1.gamma`), ones(`${block}.ls2.gamma`)])];
}

/** A head that sees class token and average, for a model whose head sees one of them: zeros for the other. */
export function withHeadForBoth(spec: ModelSpec, tensors: readonly ModelTensor[]): ModelTensor[] {
  const { hidden, classes, pooling } = spec;
  if (pooling === 'class-token-and-average') return [...tensors];
  const from = offsetOf(spec, 'head.weight');
  const parts = Array.from({ length: classes }, (_, row) => {
    const own = stretch(from + row * hidden, hidden);
    return pooling === 'average' ? [constant(0, hidden), own] : [own, constant(0, hidden)];
  }).flat();
  return tensors.map((tensor) =>
    tensor.name === 'head.weight' ? { name: tensor.name, shape: [classes, 2 * hidden], parts } : tensor,
  );
}

/** Biases of zero for queries, keys and values, for a library whose model has them always. */
export function withQkvBias(spec: ModelSpec, tensors: readonly ModelTensor[]): ModelTensor[] {
  if (spec.qkvBias) return [...tensors];
  const width = 3 * spec.hidden;
  const zeros = Array.from({ length: spec.layers }, (_, i) => ({
    name: `blocks.${i}.attn.qkv.bias`,
    shape: [width],
    parts: [constant(0, width)],
  }));
  return [...tensors, ...zeros];
}

/** The values of a tensor; where they lie in one piece, that piece itself. */
export function tensorValues({ parts }: ModelTensor, weights: Float32Array): Float32Array {
  const [first] = parts;
  if (parts.length === 1 && first!.kind === 'weights' && first!.plus === undefined) {
    return weights.subarray(first!.offset, first!.offset + first!.length);
  }
  const values = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    if (part.kind === 'constant') values.fill(part.value, at, at + part.length);
    else values.set(weights.subarray(part.offset, part.offset + part.length), at);
    if (part.kind === 'weights' && part.plus !== undefined) {
      for (let i = 0; i < part.length; i++) values[at + i]! += weights[part.plus + i]!;
    }
    at += part.length;
  }
  return values;
}
