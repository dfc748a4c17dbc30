/** Gradient sums in plain fp32, for comparison: the result depends on the order of addition. */
import { AccumulatorState, slotFor, type GradientAccumulator } from './gradient-accumulator.js';

export class Fp32Accumulator extends AccumulatorState<Float32Array> implements GradientAccumulator {
  readonly kind = 'fp32';

  begin(): void {
    this.clear();
  }

  add(slotIndex: number, gradient: Float32Array): void {
    const { offset } = slotFor(this.layout.slots, slotIndex, gradient);
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
