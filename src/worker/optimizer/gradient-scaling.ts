/**
 * Turns the reduced sum into the optimizer's gradient: scales it back, averages it, and measures its norm, in
 * one pass.
 */
import { coded } from '../../errors/errors.js';
import type { ParameterLayout, ParameterSlot } from '../../run/model/parameter-layout.js';
import type { ExactKernels } from '../../kernels/kernel-api/exact.js';

export interface ScaledGradient {
  /** L2 norm over all parameters of the gradient as stored (before clipping); not finite if an element is not. */
  readonly norm: number;
  /** First parameter in layout order with an element that is not finite; null if all are. */
  readonly notFinite: string | null;
}

/**
 * 2^n exactly, for -1074 <= n <= 1023, by multiplication, because the power operator does not promise an
 * exact result.
 */
export function powerOfTwo(n: number): number {
  let value = 1;
  for (let i = 0; i < n; i++) value *= 2;
  for (let i = 0; i > n; i--) value *= 0.5;
  return value;
}

/**
 * Writes fround(source x scale) for one tensor and returns the sum of its squares.
 * Four partial sums hide the latency of the addition; their order is fixed, so the norm has the same bits everywhere.
 */
function scaleTensor(
  source: Int32Array | Float32Array,
  offset: number,
  length: number,
  scale: number,
  out: Float32Array,
): number {
  const end = offset + length;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = offset;
  for (; i + 4 <= end; i += 4) {
    const g0 = Math.fround(source[i]! * scale);
    const g1 = Math.fround(source[i + 1]! * scale);
    const g2 = Math.fround(source[i + 2]! * scale);
    const g3 = Math.fround(source[i + 3]! * scale);
    out[i] = g0;
    out[i + 1] = g1;
    out[i + 2] = g2;
    out[i + 3] = g3;
    a += g0 * g0;
    b += g1 * g1;
    c += g2 * g2;
    d += g3 * g3;
  }
  for (; i < end; i++) {
    const g = Math.fround(source[i]! * scale);
    out[i] = g;
    a += g * g;
  }
  return a + b + (c + d);
}

/** `ExactKernels.scaleGradient` in JavaScript, as its reference and for machines without it. */
export const plainScaleGradient: ExactKernels['scaleGradient'] = (by) => {
  by.scales.forEach((scale, i) => {
    by.squares[i] = scaleTensor(by.source, by.offsets[i]!, by.lengths[i]!, scale, by.out);
  });
};

/**
 * The factors that turn reduced sums into the averaged gradient, [slots]. For exact sums, which are sums of
 * rint(g x 2^e) over all samples, it is 2^-e / samples; for fp32 sums it is 1 / samples.
 * @param exponents e of every slot
 */
export function scalesOf(
  kind: 'exact' | 'fp32',
  exponents: ArrayLike<number>,
  samples: number,
  slots: readonly ParameterSlot[],
): Float64Array {
  return Float64Array.from(slots, (_, i) => (kind === 'exact' ? powerOfTwo(-exponents[i]!) : 1) / samples);
}

/** @param squares [slots]: sums of the squares of the scaled gradient's elements */
export function judged(squares: Float64Array, slots: readonly ParameterSlot[]): ScaledGradient {
  // Squares of float32 values cannot overflow a double, so the sum is finite if and only if every element is.
  const notFinite = slots[squares.findIndex((square) => !Number.isFinite(square))]?.name ?? null;
  return { norm: Math.sqrt(squares.reduce((sum, square) => sum + square, 0)), notFinite };
}

/**
 * The averaged gradient from the reduced sums, each rounded once to float32.
 * @param source sums over all samples, in layout order
 * @param scales as `scalesOf`
 * @param out gradient, in layout order; it may be on the same memory as `source`
 * @param kernels do the work if they are given, with the same bits
 */
export function scaleGradient(
  source: Int32Array | Float32Array,
  scales: Float64Array,
  { slots, length: parameters }: ParameterLayout,
  out: Float32Array,
  kernels?: ExactKernels,
): ScaledGradient {
  if (source.length !== parameters || out.length !== parameters) {
    const reason = `gradient of ${source.length} to ${out.length} elements for ${parameters} parameters`;
    throw coded('INTERNAL', { reason });
  }
  const squares = new Float64Array(slots.length);
  (kernels?.scaleGradient ?? plainScaleGradient)({
    source,
    out,
    offsets: Float64Array.from(slots, ({ offset }) => offset),
    lengths: Float64Array.from(slots, ({ length }) => length),
    scales,
    squares,
  });
  return judged(squares, slots);
}

/**
 * The factor min(1, maxNorm / norm) that clips a gradient to a global norm of `maxNorm`; 1 if `maxNorm` is 0.
 */
export function clipFactor(norm: number, maxNorm: number): number {
  return maxNorm > 0 && norm > maxNorm ? maxNorm / norm : 1;
}
