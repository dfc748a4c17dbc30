/** GELU in double precision: the reference of the kernels' tests. */

export interface Gelu {
  readonly x: number;
  readonly value: number;
  /** The derivative. */
  readonly slope: number;
}

/** erfc(z) for z >= 0: the series of erf below 2.5, the continued fraction (Abramowitz and Stegun 7.1.14) above. */
function erfcOfPositive(z: number): number {
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let n = 1; n < 100; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = z;
  for (let n = 100; n > 0; n--) fraction = z + n / 2 / fraction;
  return Math.exp(-z * z) / (Math.sqrt(Math.PI) * fraction);
}

/** The normal distribution function. */
function normal(x: number): number {
  const tail = erfcOfPositive(Math.abs(x) / Math.SQRT2) / 2;
  return x > 0 ? 1 - tail : tail;
}

/** x Phi(x), or x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))); arXiv 1606.08415. */
export function gelu(x: number, form: 'erf' | 'tanh'): Gelu {
  if (form === 'erf') {
    const phi = normal(x);
    return { x, value: x * phi, slope: phi + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI) };
  }
  const twice = 2 * Math.sqrt(2 / Math.PI);
  const gate = 1 / (1 + Math.exp(-twice * x * (1 + 0.044715 * x * x)));
  const value = x * gate;
  return { x, value, slope: gate + value * (1 - gate) * twice * (1 + 3 * 0.044715 * x * x) };
}
