/**
 * The scale exponents of the exact reduction: q = rint(g 2^e), one e per tensor, so that no sum of q can
 * overflow.
 *
 * Everything here follows from committed data by IEEE additions, multiplications and comparisons only (no
 * Math.pow, no Math.log), so every machine gets the same exponents. The products are exact: a maximum has 24
 * significant bits, the number of micro-batches has at most 20, and the other factors are powers of two.
 */

/** Far beyond any gradient, yet low enough for 2^20 micro-batches of the largest finite fp32 value. */
export const MIN_EXPONENT = -140;
export const MAX_EXPONENT = 100;
/** The largest number of micro-batches in a step for which the bounds hold. */
export const MAX_MICRO_BATCHES = 2 ** 20;

/** Unbiased exponent of a positive, normal double: 2^result <= value < 2^(result + 1). */
function exponentOf(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return (view.getUint32(0) >>> 20) - 1023;
}

/** 2^exponent as an exact double. @throws RangeError outside the normal doubles */
export function exponentScale(exponent: number): number {
  if (!Number.isInteger(exponent) || exponent < -1022 || exponent > 1023) {
    throw new RangeError(`2^${exponent} is not a normal double with an integer exponent`);
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, (exponent + 1023) << 20);
  return view.getFloat64(0);
}

/**
 * The limit for M times the largest |g| 2^e. Below it, M values of |q| <= |g| 2^e + 1/2 add up to less than 2^31.
 * @throws RangeError
 */
export function sumLimit(microBatches: number): number {
  if (!Number.isInteger(microBatches) || microBatches < 1 || microBatches > MAX_MICRO_BATCHES) {
    throw new RangeError(`${microBatches} micro-batches: it has to be an integer from 1 to 2^20`);
  }
  return 2 ** 31 - 1 - microBatches;
}

function largestExponent(maximum: number, microBatches: number, headroom: number): number {
  if (!(maximum >= 0 && maximum < Infinity)) throw new RangeError(`a maximum of |g| is ${maximum}`);
  if (maximum === 0) return MAX_EXPONENT;
  const limit = sumLimit(microBatches);
  const bound = microBatches * maximum * headroom;
  const exponent = exponentOf(limit) - exponentOf(bound);
  const fitting = bound * exponentScale(exponent) <= limit ? exponent : exponent - 1;
  return Math.min(MAX_EXPONENT, Math.max(MIN_EXPONENT, fitting));
}

/**
 * Exponents for a step: per tensor the largest e for which `microBatches` gradients of up to 2^headroomBits times
 * its amax cannot overflow 32 bits.
 * @param amaxHistory [tensors], finite: the decaying maximum of |g| over earlier micro-batches
 * @throws RangeError
 */
export function stepExponents(
  amaxHistory: Float32Array,
  microBatches: number,
  headroomBits = 2,
): Int32Array<ArrayBuffer> {
  const headroom = exponentScale(headroomBits);
  return Int32Array.from(amaxHistory, (maximum) => largestExponent(maximum, microBatches, headroom));
}

/** Exponents for repeating a step, from the step's own maxima. With these it cannot exceed its range. */
export function repeatExponents(maxima: Float32Array, microBatches: number): Int32Array<ArrayBuffer> {
  return stepExponents(maxima, microBatches, 0);
}

/**
 * Whether a step has to be repeated: some tensor's largest |g| over all micro-batches could overflow the sum.
 * Depends on the data alone, not on which worker had the micro-batch.
 */
export function exceedsRange(maxima: Float32Array, exponents: Int32Array, microBatches: number): boolean {
  if (maxima.length !== exponents.length) {
    throw new RangeError(`${maxima.length} maxima for ${exponents.length} exponents`);
  }
  const limit = sumLimit(microBatches);
  return maxima.some((maximum, i) => !(microBatches * maximum * exponentScale(exponents[i]!) <= limit));
}

/** The amax history after a step: max(maxima, decay x history), rounded to fp32. Both [tensors]. */
export function updateAmaxHistory(
  history: Float32Array,
  maxima: Float32Array,
  decay: number,
): Float32Array<ArrayBuffer> {
  if (history.length !== maxima.length) {
    throw new RangeError(`${maxima.length} maxima for an amax history of ${history.length}`);
  }
  return Float32Array.from(maxima, (maximum, i) => Math.max(maximum, decay * history[i]!));
}
