/**
 * The exact reduction and the optimizers, in place on arrays of JavaScript, which may be on shared memory. They give the
 * same bits as the TypeScript that they replace, whatever the level and the number of threads.
 */
import type { DeviceBuffer } from './memory.js';

export interface AdamCoefficients {
  readonly lr: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly clipFactor: number;
  /** 1 / (1 - beta1^t) */
  readonly firstCorrection: number;
  /** 1 / sqrt(1 - beta2^t) */
  readonly secondCorrection: number;
  /** Weight decay added to the gradient (Adam). */
  readonly coupledDecay: number;
  /** Weight decay applied directly to the weights (AdamW). */
  readonly decoupledDecay: number;
}

export interface AdamArrays {
  readonly weights: Float32Array;
  readonly gradient: Float32Array;
  readonly expAvg: Float32Array;
  readonly expAvgSq: Float32Array;
}

export interface ExactKernels {
  /**
   * sums[offset + i] += rint(gradient[i] scale) where |gradient[i] scale| microBatches <= limit: as ExactAccumulator.
   * @param by.gradient [length], f32
   */
  quantiseAdd(by: {
    readonly gradient: DeviceBuffer;
    readonly sums: Int32Array;
    readonly offset: number;
    readonly length: number;
    readonly scale: number;
    readonly limit: number;
    readonly microBatches: number;
  }): { readonly maximum: number; readonly nonFinite: boolean };
  /** sums[offset + i] += gradient[i], finite ones: as Fp32Accumulator. */
  floatAdd(by: {
    readonly gradient: DeviceBuffer;
    readonly sums: Float32Array;
    readonly offset: number;
    readonly length: number;
  }): { readonly maximum: number; readonly nonFinite: boolean };
  /**
   * For every tensor: out = fround(source scale), and the sum of squares of that in four partial sums, as `scaleTensor`.
   * `out` may lie on the memory of `source`.
   * @param by.offsets [tensors], in elements; so are the other three
   * @param by.squares is set to the sums of squares
   */
  scaleGradient(by: {
    readonly source: Int32Array | Float32Array;
    readonly out: Float32Array;
    readonly offsets: Float64Array;
    readonly lengths: Float64Array;
    readonly scales: Float64Array;
    readonly squares: Float64Array;
  }): void;
  /** As `adamUpdate`. */
  adamUpdate(by: AdamArrays & AdamCoefficients & { readonly offset: number; readonly length: number }): void;
  /** As `momentumUpdate`. */
  momentumUpdate(by: {
    readonly weights: Float32Array;
    readonly gradient: Float32Array;
    readonly momentumBuffer: Float32Array;
    readonly offset: number;
    readonly length: number;
    readonly lr: number;
    readonly momentum: number;
    readonly clipFactor: number;
    readonly weightDecay: number;
  }): void;
  /** average = decay average + (1 - decay) weights */
  averageUpdate(by: {
    readonly average: Float32Array;
    readonly weights: Float32Array;
    readonly decay: number;
  }): void;
  /**
   * One segment of the ring: out = incoming + mine, as `SegmentSum.add`; without `mine` a copy.
   * @param by.kind 0 for int32 (wrapping), 1 for fp32
   * @returns sums of the 32-bit words, modulo 2^32, of `incoming` and of `out`
   */
  addSegment(by: {
    readonly kind: 0 | 1;
    readonly incoming: Uint8Array;
    readonly mine?: Uint8Array;
    readonly out: Uint8Array;
  }): { readonly incoming: number; readonly result: number };
  /** Sum of the 32-bit words, modulo 2^32. */
  checksum(by: { readonly bytes: Uint8Array }): number;
}
