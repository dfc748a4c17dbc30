/** Gradient sums in plain fp32, for comparison: the result depends on the order of addition. */
import { coded } from '../../shared/errors.js';
import type { ParameterLayout } from '../../shared/model/parameter-layout.js';
import { slotFor, type GradientAccumulator } from './gradient-accumulator.js';

export class Fp32Accumulator implements GradientAccumulator {
  readonly kind = 'fp32';
  readonly sums: Float32Array;
  readonly maxima: Float32Array;
  readonly nonFinite: Uint8Array;
  readonly #layout: ParameterLayout;

  /** @param sums [layout.length], usually on a SharedArrayBuffer */
  constructor(layout: ParameterLayout, sums: Float32Array) {
    if (sums.length !== layout.length) {
      throw coded('INTERNAL', { reason: `${sums.length} sums for ${layout.length} parameters` });
    }
    this.#layout = layout;
    this.sums = sums;
    this.maxima = new Float32Array(layout.slots.length);
    this.nonFinite = new Uint8Array(layout.slots.length);
  }

  begin(): void {
    this.sums.fill(0);
    this.maxima.fill(0);
    this.nonFinite.fill(0);
  }

  add(slotIndex: number, gradient: Float32Array): void {
    const { offset } = slotFor(this.#layout.slots, slotIndex, gradient);
    const sums = this.sums;
    let maximum = this.maxima[slotIndex]!;
    for (let i = 0; i < gradient.length; i++) {
      const g = gradient[i]!;
      if (!Number.isFinite(g)) {
        this.nonFinite[slotIndex] = 1;
        continue;
      }
      sums[offset + i]! += g;
      if (Math.abs(g) > maximum) maximum = Math.abs(g);
    }
    this.maxima[slotIndex] = maximum;
  }
}
