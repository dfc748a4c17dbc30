/**
 * The exponential function from IEEE basic operations only, so that it has the same bits in every JavaScript
 * engine.
 */

const LN2 = 0.6931471805599453;

/** e^x for |x| <= 700, to about 15 digits: x = k ln 2 + r with |r| <= ln(2) / 2, then Taylor's series. */
export function portableExp(x: number): number {
  const k = Math.round(x / LN2);
  const r = x - k * LN2;
  let sum = 1;
  for (let n = 16; n >= 1; n--) sum = 1 + (r * sum) / n;
  let power = 1;
  for (let i = 0; i < Math.abs(k); i++) power *= 2;
  return k < 0 ? sum / power : sum * power;
}
