/** What a worker's micro-batch gradients are added up in before the ring: exact integers, or plain fp32. */
import { coded } from '../../shared/errors.js';
import type { ParameterLayout, ParameterSlot } from '../../shared/model/parameter-layout.js';
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
  /**
   * Starts a step, or its repeat, from zero. fp32 has no use for the arguments.
   * @param exponents [slots]
   * @param microBatches in the whole step, over all workers
   */
  begin(exponents: Int32Array, microBatches: number): void;
  /** Adds one micro-batch's gradient of one tensor, [slot.length]. */
  add(slotIndex: number, gradient: Float32Array): void;
}

/** What both kinds keep besides the way they add. */
export abstract class AccumulatorState<V extends Vector> {
  readonly sums: V;
  readonly maxima: Float32Array;
  readonly nonFinite: Uint8Array;
  protected readonly layout: ParameterLayout;

  /** @param sums [layout.length], usually on a SharedArrayBuffer */
  constructor(layout: ParameterLayout, sums: V) {
    if (sums.length !== layout.length) {
      throw coded('INTERNAL', { reason: `${sums.length} sums for ${layout.length} parameters` });
    }
    this.layout = layout;
    this.sums = sums;
    this.maxima = new Float32Array(layout.slots.length);
    this.nonFinite = new Uint8Array(layout.slots.length);
  }

  protected clear(): void {
    this.sums.fill(0);
    this.maxima.fill(0);
    this.nonFinite.fill(0);
  }
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
