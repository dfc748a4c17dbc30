/**
 * The cosine of the learning rate from IEEE basic operations only, so that every JavaScript engine gives the
 * same bits.
 */

/** sin(x) for 0 <= x <= pi/4: the Taylor series up to x^19, whose remainder is below 1e-20. */
function smallSine(x: number): number {
  const x2 = x * x;
  let sum = 0;
  for (let n = 19; n >= 3; n -= 2) sum = ((1 + sum) * -x2) / (n * (n - 1));
  return x + x * sum;
}

/**
 * (1 + cos(pi p)) / 2 for 0 <= p <= 1: exactly 1 at p = 0 and exactly 0 at p = 1, monotone to the last digits.
 * Math.cos may differ between engines and their versions; this cannot.
 */
export function halfCosine(p: number): number {
  // (1 + cos(2a)) / 2 = 1 - sin(a)^2, and the same mirrored, keep the argument within [0, pi/4].
  const sine = smallSine((Math.PI / 2) * (p <= 0.5 ? p : 1 - p));
  return p <= 0.5 ? 1 - sine * sine : sine * sine;
}
