/** Gradient sums in plain fp32, for comparison: the result depends on the order of addition. */
import type { ParameterSlot } from '../../run/model/parameter-layout.js';
import type { DeviceBuffer } from '../../kernels/kernel-api/memory.js';
import {
  AccumulatorState,
  type Added,
  type GradientAccumulator,
  type SumKernels,
} from './gradient-accumulator.js';

export class Fp32Accumulator extends AccumulatorState<Float32Array> implements GradientAccumulator {
  readonly kind = 'fp32';

  begin(): void {
    this.clear();
  }

  protected override addHost(_: number, { offset }: ParameterSlot, values: Float32Array): Added {
    const sums = this.sums;
    let maximum = 0;
    let nonFinite = false;
    for (let i = 0; i < values.length; i++) {
      const g = values[i]!;
      if (!Number.isFinite(g)) {
        nonFinite = true;
        continue;
      }
      sums[offset + i]! += g;
      if (Math.abs(g) > maximum) maximum = Math.abs(g);
    }
    return { maximum, nonFinite };
  }

  protected override addDevice(
    _: number,
    { offset, length }: ParameterSlot,
    gradient: DeviceBuffer,
    kernels: SumKernels,
  ): Added {
    return kernels.floatAdd({ gradient, sums: this.sums, offset, length });
  }
}
