/** Gradient sums in 32-bit fixed point: each value is rounded once, then only integers are added, in any order. */
import { coded } from '../../shared/errors.js';
import { exponentScale, sumLimit } from '../../shared/exact/exponents.js';
import type { ParameterLayout } from '../../shared/model/parameter-layout.js';
import { AccumulatorState, slotFor, type GradientAccumulator } from './gradient-accumulator.js';

/** x + this - this rounds |x| < 2^51 to an integer, halves to even: the spacing of doubles there is 1. */
const ROUNDER = 1.5 * 2 ** 52;

export class ExactAccumulator extends AccumulatorState<Int32Array> implements GradientAccumulator {
  readonly kind = 'exact';
  #microBatches = 1;
  readonly #exponents: Int32Array;

  /** @param sums [layout.length], usually on a SharedArrayBuffer */
  constructor(layout: ParameterLayout, sums: Int32Array) {
    super(layout, sums);
    this.#exponents = new Int32Array(layout.slots.length);
  }

  begin(exponents: Int32Array, microBatches: number): void {
    if (exponents.length !== this.#exponents.length) {
      throw coded('INTERNAL', {
        reason: `${exponents.length} exponents for ${this.#exponents.length} tensors`,
      });
    }
    this.#exponents.set(exponents);
    this.#microBatches = microBatches;
    this.clear();
  }

  /** A value that could overflow the sum is left out: its maximum makes the step be repeated anyway. */
  add(slotIndex: number, gradient: Float32Array): void {
    const { offset } = slotFor(this.layout.slots, slotIndex, gradient);
    const scale = exponentScale(this.#exponents[slotIndex]!);
    const limit = sumLimit(this.#microBatches);
    const microBatches = this.#microBatches;
    const sums = this.sums;
    let maximum = this.maxima[slotIndex]!;
    for (let i = 0; i < gradient.length; i++) {
      const g = gradient[i]!;
      const x = g * scale;
      if (Math.abs(x) * microBatches <= limit) sums[offset + i]! += (x + ROUNDER - ROUNDER) | 0;
      else if (!Number.isFinite(g)) {
        this.nonFinite[slotIndex] = 1;
        continue;
      }
      if (Math.abs(g) > maximum) maximum = Math.abs(g);
    }
    this.maxima[slotIndex] = maximum;
  }
}
