/** Makes a model's parameters on the backend from the flat array of the parameter layout. */
import { tf } from '../tfjs.js';
import { coded } from '../../errors/errors.js';
import { patchCount, type ModelSpec } from '../../run/model/model-spec.js';
import { lastNormName, parameterLayout, type ParameterSlot } from '../../run/model/parameter-layout.js';
import type { LayerNormWeights } from '../ops/layer-norm.js';
import type { LinearWeights } from '../ops/linear.js';
import type { WeightSource } from '../tensor-maker.js';
import type { VitWeights } from './vit-weights.js';

export class WeightTensors {
  readonly vit: VitWeights;
  /** The parameters by tensor id, for the tape. */
  readonly slots: ReadonlyMap<number, ParameterSlot>;
  readonly #tensors: tf.Tensor[] = [];

  constructor(spec: ModelSpec, source: WeightSource) {
    try {
      ({ vit: this.vit, slots: this.slots } = this.#made(spec, source));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  dispose(): void {
    tf.dispose(this.#tensors.splice(0));
  }

  #made(spec: ModelSpec, source: WeightSource): Pick<WeightTensors, 'vit' | 'slots'> {
    const layout = parameterLayout(spec);
    const byName = new Map<string, tf.Tensor>();
    const slotByName = new Map<string, ParameterSlot>();
    const slots = new Map<number, ParameterSlot>();
    const owned = <T extends tf.Tensor>(tensor: T): T => {
      this.#tensors.push(tf.keep(tensor));
      return tensor;
    };
    for (const slot of layout.slots) {
      // All parameters are used as vectors or matrices: [D, C, P, P] as [D, C P P], and [1, S, D] as [S, D].
      const tensor = owned(source.tensor(slot, split(slot.shape)));
      byName.set(slot.name, tensor);
      slotByName.set(slot.name, slot);
      slots.set(tensor.id, slot);
    }

    const get = (name: string): tf.Tensor => {
      const tensor = byName.get(name);
      if (tensor === undefined) throw coded('INTERNAL', { reason: `no parameter is called ${name}` });
      return tensor;
    };
    const linear = (name: string): LinearWeights => {
      const weight = get(`${name}.weight`) as tf.Tensor2D;
      const weightT = source.transposed ? owned(tf.transpose(weight)) : undefined;
      const operand = source.operand(slotByName.get(`${name}.weight`)!, weight);
      if (operand !== undefined) owned(operand);
      return { weight, weightT, operand, bias: byName.get(`${name}.bias`) as tf.Tensor1D | undefined };
    };
    const layerScale = (name: string): tf.Tensor1D | undefined =>
      byName.get(`${name}.gamma`) as tf.Tensor1D | undefined;
    const others = ['dist_token', 'reg_token']
      .filter((name) => byName.has(name))
      .map((name) => get(name) as tf.Tensor2D);
    const layerNorm = (name: string): LayerNormWeights => ({
      scale: get(`${name}.weight`) as tf.Tensor1D,
      shift: get(`${name}.bias`) as tf.Tensor1D,
      epsilon: spec.layerNormEpsilon,
    });

    const vit: VitWeights = {
      embedding: {
        projection: { ...linear('patch_embed.proj'), bias: get('patch_embed.proj.bias') as tf.Tensor1D },
        prefix: [get('cls_token') as tf.Tensor2D, ...others],
        position: get('pos_embed') as tf.Tensor2D,
        patches: patchCount(spec),
      },
      blocks: Array.from({ length: spec.layers }, (_, i) => ({
        norm1: layerNorm(`blocks.${i}.norm1`),
        attention: {
          qkv: linear(`blocks.${i}.attn.qkv`),
          out: linear(`blocks.${i}.attn.proj`),
          heads: spec.heads,
          scale: layerScale(`blocks.${i}.ls1`),
        },
        norm2: layerNorm(`blocks.${i}.norm2`),
        mlp: {
          fc1: linear(`blocks.${i}.mlp.fc1`),
          fc2: linear(`blocks.${i}.mlp.fc2`),
          gelu: spec.gelu,
          scale: layerScale(`blocks.${i}.ls2`),
        },
      })),
      classifier: {
        pooling: spec.pooling,
        normFirst: spec.lastNorm === 'before-pooling',
        norm: layerNorm(lastNormName(spec)),
        preLogits: spec.preLogits > 0 ? linear('pre_logits.fc') : undefined,
        head: linear('head'),
        secondHead: spec.distillation ? linear('head_dist') : undefined,
      },
    };
    return { vit, slots };
  }
}

/** Rows and columns of a parameter as a matrix; a vector has no columns. */
function split(shape: readonly number[]): [rows: number] | [rows: number, columns: number] {
  if (shape.length === 1) return [shape[0]!];
  const sides = shape[0] === 1 ? shape.slice(1) : shape;
  return [sides[0]!, sides.slice(1).reduce((product, side) => product * side, 1)];
}
