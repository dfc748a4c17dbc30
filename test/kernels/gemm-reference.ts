/** A matrix product with all that may follow it, in double precision, with a bound of what fp32 sums may be off by. */
import { plainDropoutKernel } from '../../src/kernels/dropout-mask.js';
import type { DropoutStream } from '../../src/kernels/kernel-api/activation.js';
import { ACTIVATION, type Activation } from '../../src/kernels/kernel-api/gemm.js';
import { roundToBf16 } from './kernel-device.js';

/** As the kernel takes it, with arrays for buffers; all that may be missing is there. */
export interface Product {
  readonly a: ArrayLike<number>;
  readonly b: ArrayLike<number>;
  /** What c holds before. */
  readonly c: ArrayLike<number>;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly lda: number;
  readonly ldb: number;
  readonly ldc: number;
  readonly batch: number;
  readonly strideA: number;
  readonly strideB: number;
  readonly strideC: number;
  readonly alpha: number;
  readonly accumulate: boolean;
  readonly bf16: boolean;
  readonly bias?: ArrayLike<number> | undefined;
  readonly activation: Activation;
  readonly dropout?: DropoutStream | undefined;
  readonly residual?: ArrayLike<number> | undefined;
  /** Bias and y are rounded to bf16 on their way to c: a product in steps. */
  readonly roundsBetween?: boolean;
}

/** Values, and how far off a right result may be. */
export interface Bounded {
  readonly values: Float64Array;
  readonly bounds: Float64Array;
}

const EPSILON = 2 ** -23;
const BF16_EPSILON = 2 ** -8;

/** All terms are positive: 2 / sqrt(pi) e^(-x^2) sum 2^i x^(2i + 1) / (2i + 1)!! */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let i = 1; i < 200; i++) {
    term *= (2 * x * x) / (2 * i + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function activated(y: number, activation: Activation): number {
  if (activation === ACTIVATION.geluErf) return (y / 2) * (1 + erf(y / Math.SQRT2));
  if (activation === ACTIVATION.geluTanh)
    return (y / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (y + 0.044715 * y ** 3)));
  return y;
}

function maskOf(stream: DropoutStream | undefined, length: number): Float32Array {
  const mask = new Float32Array(length).fill(1);
  if (stream) plainDropoutKernel(stream.key, stream.path, stream.dropBelow, stream.kept, mask);
  return mask;
}

/** The results where c lies; elements of c that belong to no matrix keep their values, with a bound of 0. */
export function product(p: Product): { readonly c: Bounded; readonly preActivation: Bounded } {
  const result = (): Bounded => ({ values: Float64Array.from(p.c), bounds: new Float64Array(p.c.length) });
  const [c, preActivation] = [result(), result()];
  const operand = p.bf16 ? roundToBf16 : (value: number): number => value;
  const [a, b] = [Float64Array.from(p.a, operand), Float64Array.from(p.b, operand)];
  const mask = maskOf(p.dropout, p.dropout ? p.m * p.n : 0);
  const alpha = Math.fround(p.alpha);
  for (let matrix = 0; matrix < p.batch; matrix++) {
    for (let i = 0; i < p.m; i++) {
      for (let j = 0; j < p.n; j++) {
        const at = matrix * p.strideC + i * p.ldc + j;
        let [sum, size] = [0, 0];
        for (let k = 0; k < p.k; k++) {
          const x = a[matrix * p.strideA + (p.transposeA ? k * p.lda + i : i * p.lda + k)]!;
          const y = b[matrix * p.strideB + (p.transposeB ? j * p.ldb + k : k * p.ldb + j)]!;
          sum += x * y;
          size += Math.abs(x * y);
        }
        const y = alpha * sum + (p.bias?.[j] ?? 0);
        const steps = p.roundsBetween ? BF16_EPSILON * (Math.abs(p.bias?.[j] ?? 0) + Math.abs(y)) : 0;
        const off = EPSILON * ((2 + Math.sqrt(p.k)) * Math.abs(alpha) * size + Math.abs(y)) + steps;
        preActivation.values[at] = y;
        preActivation.bounds[at] = off;
        const kept = p.dropout ? mask[i * p.n + j]! : 1;
        const value = activated(y, p.activation) * kept + (p.residual?.[at] ?? 0);
        c.values[at] = p.accumulate ? p.c[at]! + y : value;
        c.bounds[at] =
          1.2 * Math.max(kept, 1) * (off + 8 * EPSILON * Math.abs(y)) + EPSILON * Math.abs(c.values[at]);
      }
    }
  }
  return { c, preActivation };
}

/** Sums of the rows of op(a), as stored. */
export function rowSums(p: Product): Bounded {
  const values = new Float64Array(p.m);
  const bounds = new Float64Array(p.m);
  for (let i = 0; i < p.m; i++) {
    for (let k = 0; k < p.k; k++) {
      const value = p.a[p.transposeA ? k * p.lda + i : i * p.lda + k]!;
      values[i]! += value;
      bounds[i]! += EPSILON * (2 + Math.sqrt(p.k)) * Math.abs(value);
    }
  }
  return { values, bounds };
}
