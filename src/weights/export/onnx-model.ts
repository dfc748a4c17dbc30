/** A trained model as an ONNX graph of opset 17: pixels [batch, 3, S, S] to logits [batch, K]. Pure. */
import { evaluationView } from '../../run/model/evaluation-view.js';
import { patchCount, tokenCount, type ModelSpec } from '../../run/model/model-spec.js';
import { parameterLayout } from '../../run/model/parameter-layout.js';
import type { PreprocessingOptions } from '../../run/model/preprocessing.js';
import { OnnxBuilder, type OnnxPrecision } from './onnx-builder.js';
import { ELEMENT, type OnnxModel } from './onnx-messages.js';

/** LayerNormalization came with 17. */
const OPSET = 17;
export const ONNX_INPUT = 'pixel_values';
export const ONNX_OUTPUT = 'logits';

class ModelGraph {
  readonly builder: OnnxBuilder;
  readonly #spec: ModelSpec;
  readonly #weights: Float32Array;
  readonly #slots: ReadonlyMap<
    string,
    { readonly shape: readonly number[]; readonly offset: number; readonly length: number }
  >;

  constructor(spec: ModelSpec, weights: Float32Array, precision: OnnxPrecision) {
    this.builder = new OnnxBuilder(precision);
    this.#spec = spec;
    this.#weights = weights;
    this.#slots = new Map(parameterLayout(spec).slots.map((slot) => [slot.name, slot]));
  }

  #values(name: string): Float32Array {
    const { offset, length } = this.#slots.get(name)!;
    return this.#weights.subarray(offset, offset + length);
  }

  #weight(name: string): string {
    return this.builder.floats(name, this.#slots.get(name)!.shape, this.#values(name));
  }

  /** x W^T + b, with the kernel stored as [in, out]. */
  #linear(name: string, x: string): string {
    const { builder } = this;
    const [out, into] = this.#slots.get(`${name}.weight`)!.shape as [number, number];
    const kernel = this.#values(`${name}.weight`);
    const turned = new Float32Array(kernel.length);
    for (let i = 0; i < out; i++) {
      for (let j = 0; j < into; j++) turned[j * out + i] = kernel[i * into + j]!;
    }
    const product = builder.add('MatMul', [x, builder.floats(`${name}.weight`, [into, out], turned)]);
    return this.#slots.has(`${name}.bias`)
      ? builder.add('Add', [product, this.#weight(`${name}.bias`)])
      : product;
  }

  #norm(name: string, x: string): string {
    const weights = [this.#weight(`${name}.weight`), this.#weight(`${name}.bias`)];
    const attributes = { axis: -1, epsilon: this.#spec.layerNormEpsilon };
    return this.builder.add('LayerNormalization', [x, ...weights], attributes);
  }

  #gelu(x: string): string {
    const { builder } = this;
    const half = builder.scalar('half', 0.5);
    const one = builder.scalar('one', 1);
    const inner =
      this.#spec.gelu === 'erf'
        ? builder.add('Erf', [builder.add('Mul', [x, builder.scalar('root_half', Math.SQRT1_2)])])
        : builder.add('Tanh', [this.#tanhArgument(x)]);
    const factor = builder.add('Mul', [builder.add('Add', [inner, one]), half]);
    return builder.add('Mul', [x, factor]);
  }

  /** sqrt(2 / pi) x (1 + 0.044715 x^2) */
  #tanhArgument(x: string): string {
    const { builder } = this;
    const square = builder.add('Mul', [x, x]);
    const scaled = builder.add('Mul', [square, builder.scalar('cubic', 0.044715)]);
    const factor = builder.add('Add', [scaled, builder.scalar('one', 1)]);
    const outer = builder.add('Mul', [x, builder.scalar('root_two_by_pi', Math.sqrt(2 / Math.PI))]);
    return builder.add('Mul', [outer, factor]);
  }

  /** [batch, T, D] from pixels. */
  embedded(pixels: string): string {
    const { builder } = this;
    const spec = this.#spec;
    const { hidden, patch } = spec;
    const kernel = [this.#weight('patch_embed.proj.weight'), this.#weight('patch_embed.proj.bias')];
    const sides = { kernel_shape: [patch, patch], strides: [patch, patch] };
    const grid = builder.add('Conv', [pixels, ...kernel], sides);
    const rows = builder.add('Reshape', [grid, builder.integers([0, hidden, patchCount(spec)])]);
    const patches = builder.add('Transpose', [rows], { perm: [0, 2, 1] });
    const tokens = this.#tokens(pixels);
    if (spec.positions === 'all-tokens') {
      const all = builder.add('Concat', [tokens, patches], { axis: 1 });
      return builder.add('Add', [all, this.#weight('pos_embed')]);
    }
    const placed = builder.add('Add', [patches, this.#weight('pos_embed')]);
    return builder.add('Concat', [tokens, placed], { axis: 1 });
  }

  /** The tokens before the patches, for every image. */
  #tokens(pixels: string): string {
    const { builder } = this;
    const { hidden } = this.#spec;
    const names = ['cls_token', 'dist_token', 'reg_token'].filter((name) => this.#slots.has(name));
    const count = tokenCount(this.#spec) - patchCount(this.#spec);
    const values = new Float32Array(count * hidden);
    let at = 0;
    for (const name of names) {
      values.set(this.#values(name), at);
      at += this.#values(name).length;
    }
    const batch = builder.add('Shape', [pixels], { start: 0, end: 1 });
    const shape = builder.add('Concat', [batch, builder.integers([count, hidden])], { axis: 0 });
    return builder.add('Expand', [builder.floats('tokens', [1, count, hidden], values), shape]);
  }

  #scaled(name: string, x: string): string {
    const gamma = `${name}.gamma`;
    return this.#slots.has(gamma) ? this.builder.add('Mul', [x, this.#weight(gamma)]) : x;
  }

  #attention(name: string, x: string): string {
    const { builder } = this;
    const { heads, hidden } = this.#spec;
    const width = hidden / heads;
    const fused = this.#linear(`${name}.qkv`, x);
    const split = builder.add('Reshape', [fused, builder.integers([0, 0, 3, heads, width])]);
    // [3, batch, heads, T, width]
    const parts = builder.add('Transpose', [split], { perm: [2, 0, 3, 1, 4] });
    const part = (i: number) => builder.add('Gather', [parts, builder.integers([i], [])], { axis: 0 });
    const [query, key, value] = [part(0), part(1), part(2)];
    const turned = builder.add('Transpose', [key], { perm: [0, 1, 3, 2] });
    // Before the product, so that half precision does not overflow.
    const smaller = builder.add('Mul', [query, builder.scalar('attention_scale', 1 / Math.sqrt(width))]);
    const shares = builder.add('Softmax', [builder.add('MatMul', [smaller, turned])], { axis: -1 });
    const mixed = builder.add('Transpose', [builder.add('MatMul', [shares, value])], { perm: [0, 2, 1, 3] });
    const joined = builder.add('Reshape', [mixed, builder.integers([0, 0, hidden])]);
    return this.#linear(`${name}.proj`, joined);
  }

  block(name: string, x: string): string {
    const { builder } = this;
    const attended = this.#attention(`${name}.attn`, this.#norm(`${name}.norm1`, x));
    const middle = builder.add('Add', [x, this.#scaled(`${name}.ls1`, attended)]);
    const wide = this.#gelu(this.#linear(`${name}.mlp.fc1`, this.#norm(`${name}.norm2`, middle)));
    const narrow = this.#linear(`${name}.mlp.fc2`, wide);
    return builder.add('Add', [middle, this.#scaled(`${name}.ls2`, narrow)]);
  }

  #token(x: string, at: number): string {
    return this.builder.add('Gather', [x, this.builder.integers([at], [])], { axis: 1 });
  }

  /** The mean over all patches. */
  #average(x: string): string {
    const { builder } = this;
    const first = tokenCount(this.#spec) - patchCount(this.#spec);
    const bounds = [[first], [tokenCount(this.#spec)], [1]].map((list) => builder.integers(list));
    return builder.add('ReduceMean', [builder.add('Slice', [x, ...bounds])], { axes: [1], keepdims: 0 });
  }

  #pooled(x: string): string {
    const { pooling } = this.#spec;
    if (pooling === 'class-token') return this.#token(x, 0);
    if (pooling === 'average') return this.#average(x);
    return this.builder.add('Concat', [this.#token(x, 0), this.#average(x)], { axis: -1 });
  }

  classified(tokens: string): string {
    const { builder } = this;
    const { lastNorm, distillation, preLogits } = this.#spec;
    const before = lastNorm === 'before-pooling';
    const x = before ? this.#norm('norm', tokens) : tokens;
    if (distillation) {
      const heads = [this.#linear('head', this.#token(x, 0)), this.#linear('head_dist', this.#token(x, 1))];
      return builder.add('Mul', [builder.add('Add', heads), builder.scalar('half', 0.5)]);
    }
    const pooled = before ? this.#pooled(x) : this.#norm('fc_norm', this.#pooled(x));
    const features = preLogits > 0 ? builder.add('Tanh', [this.#linear('pre_logits.fc', pooled)]) : pooled;
    return this.#linear('head', features);
  }
}

export interface OnnxContent {
  readonly spec: ModelSpec;
  readonly weights: Float32Array;
  readonly precision: OnnxPrecision;
  readonly preprocessing: PreprocessingOptions;
  readonly classes: readonly string[];
  readonly producerVersion: string;
  /** SHA-256 of the weights. */
  readonly digest: string;
}

/** Pixels and logits are float32 in both precisions. */
export function onnxModel(content: OnnxContent): OnnxModel {
  const { spec, weights, precision, preprocessing, classes, producerVersion, digest } = content;
  const graph = new ModelGraph(spec, weights, precision);
  const { builder } = graph;
  const half = precision === 'fp16';
  const pixels = half ? builder.add('Cast', [ONNX_INPUT], { to: builder.element }) : ONNX_INPUT;
  let x = graph.embedded(pixels);
  for (let layer = 0; layer < spec.layers; layer++) x = graph.block(`blocks.${layer}`, x);
  const logits = graph.classified(x);
  builder.add(half ? 'Cast' : 'Identity', [logits], half ? { to: ELEMENT.float } : {}, ONNX_OUTPUT);
  return {
    opset: OPSET,
    producerVersion,
    nodes: builder.nodes,
    initializers: builder.initializers,
    input: { name: ONNX_INPUT, dims: ['batch', 3, spec.imageSize, spec.imageSize] },
    output: { name: ONNX_OUTPUT, dims: ['batch', spec.classes] },
    metadata: {
      model: spec.name,
      classes: JSON.stringify(classes),
      preprocessing: JSON.stringify(evaluationView(preprocessing, spec.imageSize)),
      digest,
    },
  };
}
