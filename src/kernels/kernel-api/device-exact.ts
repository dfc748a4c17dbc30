/**
 * The exact reduction and the optimizers on a GPU's memory, in place of `ExactKernels`. They give the same bits as the
 * TypeScript that they replace, except that squares are added up in another order. Only `scaleGradient` waits for the
 * GPU.
 */
import type { AdamCoefficients } from './exact.js';
import type { DeviceBuffer } from './memory.js';

/**
 * Parts of flat arrays, one for each tensor: [ranges] whole numbers, in elements. A range begins where the one before
 * ends, or later. About 100 ranges are one launch.
 */
export interface TensorRanges {
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
}

/**
 * The buffer to which an addition writes what it found, so that Node need not wait for it: i32, [2 slots] or more.
 * Element 2 slot is raised to the bits of the largest finite |gradient|, and element 2 slot + 1 is set to 1 if a value is
 * not finite. `clear` sets both back.
 */
export interface StatisticsSlot {
  readonly statistics: DeviceBuffer;
  readonly slot: number;
}

export interface DeviceExactKernels {
  /**
   * sums[offset + i] += rint(gradient[i] scale) where |gradient[i] scale| microBatches <= limit: as ExactAccumulator.
   * @param by.gradient [length], f32
   * @param by.sums i32
   */
  quantiseAdd(
    by: StatisticsSlot & {
      readonly gradient: DeviceBuffer;
      readonly sums: DeviceBuffer;
      readonly offset: number;
      readonly length: number;
      readonly scale: number;
      readonly limit: number;
      readonly microBatches: number;
    },
  ): void;
  /**
   * sums[offset + i] += gradient[i], finite ones: as Fp32Accumulator.
   * @param by.gradient [length], f32
   * @param by.sums f32
   */
  floatAdd(
    by: StatisticsSlot & {
      readonly gradient: DeviceBuffer;
      readonly sums: DeviceBuffer;
      readonly offset: number;
      readonly length: number;
    },
  ): void;
  /**
   * For every range: out = fround(source scale), and the sum of squares of that in double precision. The squares are
   * added up in an order that depends only on the range's length, so every GPU gives the same bits. Waits for the GPU.
   * @param by.source i32 or f32
   * @param by.out f32; may be a view of `source`
   * @param by.scales [ranges]
   * @param by.squares [ranges], is set to the sums of squares
   */
  scaleGradient(
    by: TensorRanges & {
      readonly source: DeviceBuffer;
      readonly out: DeviceBuffer;
      readonly scales: Float64Array;
      readonly squares: Float64Array;
    },
  ): void;
  /**
   * As `adamUpdate` in every range. Buffers are f32, flat.
   * @param by.coupledDecays [ranges]
   * @param by.decoupledDecays [ranges]
   * @param by.shadow bf16: gets the new weights of the ranges, rounded to nearest, halves to even
   */
  adamUpdate(
    by: TensorRanges &
      Omit<AdamCoefficients, 'coupledDecay' | 'decoupledDecay'> & {
        readonly weights: DeviceBuffer;
        readonly gradient: DeviceBuffer;
        readonly expAvg: DeviceBuffer;
        readonly expAvgSq: DeviceBuffer;
        readonly coupledDecays: Float64Array;
        readonly decoupledDecays: Float64Array;
        readonly shadow?: DeviceBuffer;
      },
  ): void;
  /**
   * As `momentumUpdate` in every range. Buffers are f32, flat.
   * @param by.weightDecays [ranges]
   * @param by.shadow as in `adamUpdate`
   */
  momentumUpdate(
    by: TensorRanges & {
      readonly weights: DeviceBuffer;
      readonly gradient: DeviceBuffer;
      readonly momentumBuffer: DeviceBuffer;
      readonly weightDecays: Float64Array;
      readonly lr: number;
      readonly momentum: number;
      readonly clipFactor: number;
      readonly shadow?: DeviceBuffer;
    },
  ): void;
  /** average = decay average + (1 - decay) weights, in elements [offset, offset + length) of both, f32. */
  averageUpdate(by: {
    readonly average: DeviceBuffer;
    readonly weights: DeviceBuffer;
    readonly offset: number;
    readonly length: number;
    readonly decay: number;
  }): void;
}
