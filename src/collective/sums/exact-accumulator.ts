/** Gradient sums in 32-bit fixed point: each value is rounded once, then only integers are added, in any order. */
import { exponentScale, sumLimit } from '../../numbers/exact/exponents.js';
import type { ParameterLayout, ParameterSlot } from '../../run/model/parameter-layout.js';
import type { DeviceBuffer } from '../../kernels/kernel-api/memory.js';
import {
  AccumulatorState,
  checkExponents,
  type Added,
  type GradientAccumulator,
  type SumKernels,
} from './gradient-accumulator.js';

/** x + this - this rounds |x| < 2^51 to an integer, halves to even: the spacing of doubles there is 1. */
const ROUNDER = 1.5 * 2 ** 52;

export class ExactAccumulator extends AccumulatorState<Int32Array> implements GradientAccumulator {
  readonly kind = 'exact';
  readonly #layout: ParameterLayout;
  #microBatches = 1;
  readonly #exponents: Int32Array;

  /**
   * @param sums [layout.length], usually on a SharedArrayBuffer
   * @param kernels do the work if they are given, with the same bits
   */
  constructor(layout: ParameterLayout, sums: Int32Array, kernels?: SumKernels) {
    super(layout, sums, kernels);
    this.#layout = layout;
    this.#exponents = new Int32Array(layout.slots.length);
  }

  begin(exponents: Int32Array, microBatches: number): void {
    checkExponents(exponents, this.#layout);
    this.#exponents.set(exponents);
    this.#microBatches = microBatches;
    this.clear();
  }

  /**
   * A value that could overflow the sum is left out. Its maximum makes sure that the step is repeated anyway.
   */
  protected override addHost(slotIndex: number, { offset }: ParameterSlot, values: Float32Array): Added {
    const { scale, limit, microBatches } = this.#quantisation(slotIndex);
    const sums = this.sums;
    let maximum = 0;
    let nonFinite = false;
    for (let i = 0; i < values.length; i++) {
      const g = values[i]!;
      const x = g * scale;
      if (Math.abs(x) * microBatches <= limit) sums[offset + i]! += (x + ROUNDER - ROUNDER) | 0;
      else if (!Number.isFinite(g)) {
        nonFinite = true;
        continue;
      }
      if (Math.abs(g) > maximum) maximum = Math.abs(g);
    }
    return { maximum, nonFinite };
  }

  protected override addDevice(
    slotIndex: number,
    { offset, length }: ParameterSlot,
    gradient: DeviceBuffer,
    kernels: SumKernels,
  ): Added {
    return kernels.quantiseAdd({
      gradient,
      sums: this.sums,
      offset,
      length,
      ...this.#quantisation(slotIndex),
    });
  }

  #quantisation(slotIndex: number): { scale: number; limit: number; microBatches: number } {
    const microBatches = this.#microBatches;
    return {
      scale: exponentScale(this.#exponents[slotIndex]!),
      limit: sumLimit(microBatches),
      microBatches,
    };
  }
}
