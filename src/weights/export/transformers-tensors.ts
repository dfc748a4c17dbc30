/** The weights of Hugging Face's ViT, DeiT, Dinov2 and Dinov2WithRegisters, made of ours. Pure. */
import type { ModelSpec } from '../../run/model/model-spec.js';
import {
  constant,
  withAllPositions,
  withHeadForBoth,
  withLayerScale,
  withRegistersAlone,
  type ModelTensor,
} from './model-tensors.js';
import { transformersName, transformersType } from './transformers-names.js';

/** The parts of a fused projection of queries, keys and values, which lies in one piece. */
function thirds({ shape, parts }: ModelTensor, names: readonly string[]): ModelTensor[] {
  const [whole] = parts;
  const [rows, ...rest] = shape;
  const length = whole!.length / names.length;
  const offset = whole!.kind === 'weights' ? whole!.offset : 0;
  return names.map((name, i) => ({
    name,
    shape: [rows! / names.length, ...rest],
    parts: [{ kind: 'weights', offset: offset + i * length, length }],
  }));
}

/** The form of a model that every model of the type has. */
function ofType(spec: ModelSpec, tensors: readonly ModelTensor[]): ModelTensor[] {
  const type = transformersType(spec);
  if (type === 'vit' || type === 'deit') return withAllPositions(spec, tensors);
  const whole = withHeadForBoth(spec, withLayerScale(spec, tensors));
  // A token of its pretraining, which the classifier never uses; without it the library says that weights are missing.
  const mask = { name: 'mask_token', shape: [1, spec.hidden], parts: [constant(0, spec.hidden)] };
  const placed = type === 'dinov2' ? withAllPositions(spec, whole) : withRegistersAlone(spec, whole);
  return [...placed, mask];
}

export function transformersTensors(spec: ModelSpec, tensors: readonly ModelTensor[]): ModelTensor[] {
  return ofType(spec, tensors).flatMap((tensor) => {
    const names = transformersName(spec, tensor.name);
    if (names.length > 1) return thirds(tensor, names);
    return [{ name: names[0]!, shape: tensor.shape, parts: tensor.parts }];
  });
}
