/** Learning rates of single parameters as factors of the run's: layer-wise decay, and a rate of the head's own. Pure. */
import { blockOf, isLastNorm, isOfHead } from '../../run/model/trained-parameters.js';
import type { ParameterLayout, ParameterSlot } from '../../run/model/parameter-layout.js';
import { integerPower } from './integer-power.js';

export interface RateOptions {
  /** 1 if missing. */
  readonly layerDecay?: number;
  /** null or missing: that of all others. */
  readonly headLr?: number | null;
  /** The run's base rate. */
  readonly lr?: number;
}

/**
 * timm's numbers of layers, as a power of the decay: 0 for the head and `fc_norm`, 1 for the last block and `norm`, L for
 * the first block, L + 1 for tokens, positions and patches.
 */
function depth(slot: ParameterSlot, layers: number): number {
  if (isOfHead(slot) || slot.name.startsWith('fc_norm.')) return 0;
  if (isLastNorm(slot)) return 1;
  return layers - (blockOf(slot) ?? -1);
}

/** The factor of every slot's learning rate. @param layout of what is trained, with the last block unless no block is */
export function rateScales(options: RateOptions, { slots }: ParameterLayout): readonly number[] {
  const { layerDecay = 1, headLr = null, lr = 1 } = options;
  const layers = slots.reduce((most, slot) => Math.max(most, (blockOf(slot) ?? -1) + 1), 0);
  return slots.map((slot) => {
    const own = headLr !== null && isOfHead(slot) ? headLr / lr : 1;
    return layerDecay === 1 ? own : own * integerPower(layerDecay, depth(slot, layers));
  });
}
