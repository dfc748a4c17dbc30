/** A model's weights under the names that another library gives them. Pure. */
import { coded } from '../../errors/errors.js';
import type { ModelSpec } from '../../run/model/model-spec.js';
import { modelTensors, withAllPositions, withQkvBias, type ModelTensor } from './model-tensors.js';
import { torchvisionName, torchvisionObstacle } from './torchvision-names.js';
import { timmObstacle } from './timm-config.js';
import { transformersObstacle } from './transformers-names.js';
import { transformersTensors } from './transformers-tensors.js';

export type WeightsFormat = 'hf' | 'timm' | 'torchvision';

/** Why a model cannot be expressed in a format; null if it can. */
export function obstacleOf(format: WeightsFormat, spec: ModelSpec): string | null {
  if (format === 'hf') return transformersObstacle(spec);
  return format === 'timm' ? timmObstacle(spec) : torchvisionObstacle(spec);
}

/** @throws EXPORT_IMPOSSIBLE */
export function requireExpressible(format: WeightsFormat, spec: ModelSpec): void {
  const reason = obstacleOf(format, spec);
  if (reason !== null) throw coded('EXPORT_IMPOSSIBLE', { model: spec.name, format, reason });
}

/**
 * The tensors of a format, which together are all weights.
 * @throws EXPORT_IMPOSSIBLE
 */
export function exportedTensors(format: WeightsFormat, spec: ModelSpec): ModelTensor[] {
  requireExpressible(format, spec);
  const tensors = modelTensors(spec);
  if (format === 'hf') return transformersTensors(spec, tensors);
  if (format === 'timm') return spec.distillation ? withAllPositions(spec, tensors) : tensors;
  return withQkvBias(spec, withAllPositions(spec, tensors)).map(({ name, shape, parts }) => ({
    name: torchvisionName(name),
    shape,
    parts,
  }));
}
