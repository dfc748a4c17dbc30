/** Refuses models with features that the network does not compute yet. */
import { coded } from '../../errors/errors.js';
import type { ModelFeatures } from '../../run/model/model-features.js';
import { PAPER_FEATURES } from '../../run/model/model-features.js';

const COMPUTED: ReadonlySet<keyof ModelFeatures> = new Set(['layerNormEpsilon']);

/** @throws MODEL_FEATURE_MISSING */
export function requireComputable(spec: ModelFeatures): void {
  for (const key of Object.keys(PAPER_FEATURES) as (keyof ModelFeatures)[]) {
    if (COMPUTED.has(key) || spec[key] === PAPER_FEATURES[key]) continue;
    throw coded('MODEL_FEATURE_MISSING', { feature: `${key} ${spec[key]}` });
  }
}
