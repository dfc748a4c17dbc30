/** What a worker's micro-batch gradients are added up in before the ring: exact integers, or plain fp32. */
import { coded } from '../../shared/errors.js';
import type { ParameterSlot } from '../../shared/model/parameter-layout.js';
import type { SumKind } from './chunk-header.js';
import type { Vector } from './ring-round.js';

export interface GradientAccumulator {
  readonly kind: SumKind;
  /** [layout.length]: the sums of this worker, the ring's `mine`. */
  readonly sums: Vector;
  /** [slots]: the largest finite |g| of each tensor over this worker's micro-batches. */
  readonly maxima: Float32Array;
  /** [slots]: 1 where a gradient held NaN or Infinity; such values are left out of `sums` and `maxima`. */
  readonly nonFinite: Uint8Array;
  /** Starts a step, or its repeat, from zero. `exponents` [slots]; fp32 has no use for them. */
  begin(exponents: Int32Array): void;
  /** Adds one micro-batch's gradient of one tensor, [slot.length]. */
  add(slotIndex: number, gradient: Float32Array): void;
  /** out = the tensor's part of `reduced` (as `sums`, of any number of workers) / divisor, in fp32. */
  mean(slotIndex: number, reduced: Vector, divisor: number, out: Float32Array): void;
}

/** The slot, if `values` can be its gradient. @throws INTERNAL */
export function slotFor(
  slots: readonly ParameterSlot[],
  slotIndex: number,
  values: Float32Array,
): ParameterSlot {
  const slot = slots[slotIndex];
  if (slot === undefined) throw coded('INTERNAL', { reason: `no tensor ${slotIndex}` });
  if (values.length !== slot.length) {
    throw coded('INTERNAL', { reason: `${values.length} values for ${slot.name} of ${slot.length}` });
  }
  return slot;
}
