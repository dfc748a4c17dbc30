/** The width of the MLP as timm and Dinov2 have it. Pure. */
import type { ModelSpec } from '../../run/model/model-spec.js';

/** The ratio with which int(width * ratio) is the MLP's width. */
export function mlpRatio({ hidden, mlp }: Pick<ModelSpec, 'hidden' | 'mlp'>): number {
  let ratio = mlp / hidden;
  // The quotient may be rounded down, and the product then falls just below the width.
  while (Math.floor(hidden * ratio) < mlp) ratio *= 1 + Number.EPSILON;
  return ratio;
}
