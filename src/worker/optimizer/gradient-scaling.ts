/** From the reduced sum to the gradient the optimizer sees: scaled back, averaged, and measured, in one pass. */
import { coded } from '../../shared/errors.js';
import type { ParameterLayout } from '../../shared/model/parameter-layout.js';
import type { ExactKernels } from '../engine/native/kernel-api/exact.js';

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

function scaleAll(
  source: Int32Array | Float32Array,
  scaleOf: (slot: number) => number,
  layout: ParameterLayout,
  out: Float32Array,
  kernels: ExactKernels | undefined,
): ScaledGradient {
  if (source.length !== layout.length || out.length !== layout.length) {
    const reason = `gradient of ${source.length} to ${out.length} elements for ${layout.length} parameters`;
    throw coded('INTERNAL', { reason });
  }
  const { slots } = layout;
  const squares = new Float64Array(slots.length);
  (kernels?.scaleGradient ?? plainScaleGradient)({
    source,
    out,
    offsets: Float64Array.from(slots, ({ offset }) => offset),
    lengths: Float64Array.from(slots, ({ length }) => length),
    scales: Float64Array.from(slots, (_, slot) => scaleOf(slot)),
    squares,
  });
  // Squares of float32 values cannot overflow a double: the sum is finite exactly if every element is.
  const notFinite = slots[squares.findIndex((square) => !Number.isFinite(square))]?.name ?? null;
  return { norm: Math.sqrt(squares.reduce((sum, square) => sum + square, 0)), notFinite };
}

/**
 * The averaged gradient from the exact reduction: g = q x 2^-e / samples, rounded once to float32.
 * @param q sums of rint(g x 2^e) over all samples, in layout order
 * @param exponents e of every slot, in layout order
 * @param samples samples that were summed
 * @param out gradient, in layout order; it may lie on the memory of `q`, element on element
 * @param kernels do the work, to the same bits, where they are given
 */
export function scaleExactGradient(
  q: Int32Array,
  exponents: ArrayLike<number>,
  samples: number,
  layout: ParameterLayout,
  out: Float32Array,
  kernels?: ExactKernels,
): ScaledGradient {
  return scaleAll(q, (slot) => powerOfTwo(-exponents[slot]!) / samples, layout, out, kernels);
}

/**
 * The averaged gradient from the plain float32 reduction: g = sum / samples.
 * @param sums sums over all samples, in layout order
 * @param samples samples that were summed
 * @param out gradient, in layout order; it may be `sums` itself
 * @param kernels do the work, to the same bits, where they are given
 */
export function scaleFloatGradient(
  sums: Float32Array,
  samples: number,
  layout: ParameterLayout,
  out: Float32Array,
  kernels?: ExactKernels,
): ScaledGradient {
  return scaleAll(sums, () => 1 / samples, layout, out, kernels);
}

/** The factor min(1, max / norm) that clips a gradient to a global norm of `maxNorm`; 1 where `maxNorm` is 0. */
export function clipFactor(norm: number, maxNorm: number): number {
  return maxNorm > 0 && norm > maxNorm ? maxNorm / norm : 1;
}
