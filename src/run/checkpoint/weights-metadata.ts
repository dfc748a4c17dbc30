/**
 * The metadata of weights.safetensors, from which another program learns the model and its preprocessing.
 * Pure.
 */
import { evaluationView } from '../model/evaluation-view.js';
import { CHANNELS, LAYER_NORM_EPSILON, type ModelSpec } from '../model/model-spec.js';

/**
 * Values of the format's metadata are strings: numbers in decimal, lists in JSON.
 * @param classes names, in the order of the logits
 */
export function weightsMetadata(
  spec: ModelSpec,
  transform: 'paper' | 'tutorial',
  classes: readonly string[],
): Record<string, string> {
  const view = evaluationView(transform, spec.imageSize);
  const ofChannels = (value: number): string => JSON.stringify(new Array<number>(CHANNELS).fill(value));
  return {
    model: spec.name,
    layers: String(spec.layers),
    hidden: String(spec.hidden),
    mlp: String(spec.mlp),
    heads: String(spec.heads),
    patch: String(spec.patch),
    image_size: String(spec.imageSize),
    pre_logits: String(spec.preLogits),
    gelu: spec.gelu,
    layer_norm_eps: String(LAYER_NORM_EPSILON),
    classes: JSON.stringify(classes),
    resize: view.resize,
    resize_to: String(view.resizeTo),
    interpolation: 'bilinear-antialias',
    center_crop: String(view.centerCrop),
    mean: ofChannels(view.mean),
    std: ofChannels(view.std),
  };
}
