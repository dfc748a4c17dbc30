/** Gemms, together with the operations that usually follow them. Matrices are row-major, sums are fp32. */
import type { DeviceBuffer } from './memory.js';
import type { DropoutStream } from '../dropout-mask.js';

export const ACTIVATION = { none: 0, geluTanh: 1, geluErf: 2 } as const;
export type Activation = (typeof ACTIVATION)[keyof typeof ACTIVATION];

/**
 * For each matrix of the batch: y = alpha op(a) op(b) + bias; preActivation = y;
 * c = residual + dropout(activation(y)). With `accumulate`: c += alpha op(a) op(b), and nothing else.
 * a, b and c are f32 or bf16, each as it is stored. On a GPU, where c is bf16, bias and y may be rounded to bf16 too.
 */
export interface Gemm {
  readonly a: DeviceBuffer;
  readonly b: DeviceBuffer;
  readonly c: DeviceBuffer;
  /** op(a) is [m, k], op(b) [k, n], c [m, n]. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** a is stored [k, m]. */
  readonly transposeA?: boolean;
  /** b is stored [n, k]. */
  readonly transposeB?: boolean;
  /** Elements from one stored row to the next; if missing, rows are dense. */
  readonly lda?: number;
  readonly ldb?: number;
  readonly ldc?: number;
  /** 1 where missing. */
  readonly batch?: number;
  /** Elements from one matrix to the next; if missing, matrices are dense; 0 uses the same matrix for all. */
  readonly strideA?: number;
  readonly strideB?: number;
  readonly strideC?: number;
  /** 1 where missing. */
  readonly alpha?: number;
  readonly accumulate?: boolean;
  /** Operands are rounded to bf16. */
  readonly bf16?: boolean;
  /** [n], f32 */
  readonly bias?: DeviceBuffer | undefined;
  readonly activation?: Activation;
  /** Like c; written. */
  readonly preActivation?: DeviceBuffer | undefined;
  /** Only for a single dense matrix. */
  readonly dropout?: DropoutStream | undefined;
  /** Like c, or c itself; read. */
  readonly residual?: DeviceBuffer | undefined;
  /**
   * [m], f32; written: sums of op(a)'s rows. For dW = dY^T X this is the bias gradient. Only for a single
   * matrix.
   */
  readonly rowSumsOfA?: DeviceBuffer | undefined;
}

export interface GemmKernels {
  gemm(by: Gemm): void;
}
