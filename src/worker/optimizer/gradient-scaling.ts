/** From the reduced sum to the gradient the optimizer sees: scaled back, averaged, and measured, in one pass. */
import { coded } from '../../shared/errors.js';
import type { ParameterLayout, ParameterSlot } from '../../shared/model/parameter-layout.js';

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
 * Writes fround(source x scale) for one slot and returns the sum of its squares.
 * Four partial sums hide the latency of the addition; their order is fixed, so the norm has the same bits everywhere.
 */
function scaleSlot(
  source: Int32Array | Float32Array,
  { offset, length }: ParameterSlot,
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

function scaleAll(
  source: Int32Array | Float32Array,
  scaleOf: (slot: number) => number,
  layout: ParameterLayout,
  out: Float32Array,
): ScaledGradient {
  if (source.length !== layout.length || out.length !== layout.length) {
    const reason = `gradient of ${source.length} to ${out.length} elements for ${layout.length} parameters`;
    throw coded('INTERNAL', { reason });
  }
  let squares = 0;
  let notFinite: string | null = null;
  for (const [index, slot] of layout.slots.entries()) {
    const slotSquares = scaleSlot(source, slot, scaleOf(index), out);
    // Squares of float32 values cannot overflow a double: the sum is finite exactly if every element is.
    if (notFinite === null && !Number.isFinite(slotSquares)) notFinite = slot.name;
    squares += slotSquares;
  }
  return { norm: Math.sqrt(squares), notFinite };
}

/**
 * The averaged gradient from the exact reduction: g = q x 2^-e / samples, rounded once to float32.
 * @param q sums of rint(g x 2^e) over all samples, in layout order
 * @param exponents e of every slot, in layout order
 * @param samples samples that were summed
 * @param out gradient, in layout order; it may lie on the memory of `q`, element on element
 */
export function scaleExactGradient(
  q: Int32Array,
  exponents: ArrayLike<number>,
  samples: number,
  layout: ParameterLayout,
  out: Float32Array,
): ScaledGradient {
  return scaleAll(q, (slot) => powerOfTwo(-exponents[slot]!) / samples, layout, out);
}

/**
 * The averaged gradient from the plain float32 reduction: g = sum / samples.
 * @param sums sums over all samples, in layout order
 * @param samples samples that were summed
 * @param out gradient, in layout order; it may be `sums` itself
 */
export function scaleFloatGradient(
  sums: Float32Array,
  samples: number,
  layout: ParameterLayout,
  out: Float32Array,
): ScaledGradient {
  return scaleAll(sums, () => 1 / samples, layout, out);
}

/** The factor min(1, max / norm) that clips a gradient to a global norm of `maxNorm`; 1 where `maxNorm` is 0. */
export function clipFactor(norm: number, maxNorm: number): number {
  return maxNorm > 0 && norm > maxNorm ? maxNorm / norm : 1;
}
