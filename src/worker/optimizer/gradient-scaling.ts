/** From the reduced sum to the gradient the optimizer sees: scaled back, averaged, and measured, in one pass. */
import { coded } from '../../errors/errors.js';
import type { ParameterLayout, ParameterSlot } from '../../run/model/parameter-layout.js';
import type { ExactKernels } from '../../kernels/kernel-api/exact.js';

export interface ScaledGradient {
  /** L2 norm over all parameters of the gradient as stored (before clipping); not finite if an element is not. */
  readonly norm: number;
  /** First parameter in layout order with an element that is not finite; null if all are. */
  readonly notFinite: string | null;
}

/** 2^n exactly, for -1074 <= n <= 1023: by multiplication, because the power operator promises no exact result. */
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

/** `ExactKernels.scaleGradient` in JavaScript: its reference, and for machines without it. */
export const plainScaleGradient: ExactKernels['scaleGradient'] = (by) => {
  by.scales.forEach((scale, i) => {
    by.squares[i] = scaleTensor(by.source, by.offsets[i]!, by.lengths[i]!, scale, by.out);
  });
};

/**
 * What reduced sums are multiplied by, [slots]: 2^-e / samples of exact ones, which are sums of rint(g x 2^e) over all
 * samples; 1 / samples of fp32 ones.
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
  // Squares of float32 values cannot overflow a double: the sum is finite exactly if every element is.
  const notFinite = slots[squares.findIndex((square) => !Number.isFinite(square))]?.name ?? null;
  return { norm: Math.sqrt(squares.reduce((sum, square) => sum + square, 0)), notFinite };
}

/**
 * The averaged gradient from the reduced sums, each rounded once to float32.
 * @param source sums over all samples, in layout order
 * @param scales as `scalesOf`
 * @param out gradient, in layout order; it may lie on the memory of `source`, element on element
 * @param kernels do the work, to the same bits, where they are given
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

/** The factor min(1, max / norm) that clips a gradient to a global norm of `maxNorm`; 1 where `maxNorm` is 0. */
export function clipFactor(norm: number, maxNorm: number): number {
  return maxNorm > 0 && norm > maxNorm ? maxNorm / norm : 1;
}
