/** A model's weights under the names that another library gives them. Pure. */
import { coded } from '../../errors/errors.js';
import type { ModelSpec } from '../../run/model/model-spec.js';
import { parameterLayout, type ParameterSlot } from '../../run/model/parameter-layout.js';
import { torchvisionName, torchvisionObstacle } from './torchvision-names.js';
import { timmObstacle } from './timm-config.js';
import { transformersName, transformersObstacle } from './transformers-names.js';

export type WeightsFormat = 'hf' | 'timm' | 'torchvision';

/** A tensor of the exported file: where it lies in our flat weights. */
export interface ExportedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** First element in the flat weights. */
  readonly offset: number;
  readonly length: number;
}

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

/** Query, key and value of a fused projection, one after the other. */
function thirds(slot: ParameterSlot, names: readonly string[]): ExportedTensor[] {
  const [rows, ...rest] = slot.shape;
  const length = slot.length / names.length;
  return names.map((name, i) => ({
    name,
    shape: [rows! / names.length, ...rest],
    offset: slot.offset + i * length,
    length,
  }));
}

/**
 * The tensors of a format, which together are all weights.
 * @throws EXPORT_IMPOSSIBLE
 */
export function exportedTensors(format: WeightsFormat, spec: ModelSpec): ExportedTensor[] {
  requireExpressible(format, spec);
  return parameterLayout(spec).slots.flatMap((slot) => {
    const { name, shape, offset, length } = slot;
    if (format === 'timm') return [{ name, shape, offset, length }];
    if (format === 'torchvision') return [{ name: torchvisionName(name), shape, offset, length }];
    const names = transformersName(spec, name);
    return names.length === 1 ? [{ name: names[0]!, shape, offset, length }] : thirds(slot, names);
  });
}
