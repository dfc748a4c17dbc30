/** Decides whether two lists of logits are the same apart from rounding. Pure. */

/**
 * The largest difference, relative to the largest logit; Infinity if the lists cannot be compared.
 * @param expected of one image after the other
 */
export function logitDifference(expected: ArrayLike<number>, found: ArrayLike<number>): number {
  if (expected.length !== found.length || expected.length === 0) return Infinity;
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    const apart = Math.abs(expected[i]! - found[i]!);
    // A comparison with NaN is false.
    if (!(apart <= Number.MAX_VALUE)) return Infinity;
    largest = Math.max(largest, Math.abs(expected[i]!));
    difference = Math.max(difference, apart);
  }
  return difference === 0 ? 0 : difference / largest;
}
