/** Softmax cross entropy with label smoothing. */
import type { DeviceBuffer } from './memory.js';

export interface LossKernels {
  /**
   * Losses of samples, and the gradient of their sum.
   * @param by.logits [B, K], f32 or bf16
   * @param by.labels [B], i32, each in [0, K): anything else is refused, or, on a GPU, makes the sample's loss and
   *   gradient NaN
   * @param by.losses [B], f32, written
   * @param by.dLogits [B, K], stored as logits, written; may be the logits themselves
   * @param by.predictions [B], i32, written: of equal logits the first class; NaN never wins, all NaN gives 0
   */
  crossEntropy(by: {
    readonly logits: DeviceBuffer;
    readonly labels: DeviceBuffer;
    readonly rows: number;
    readonly classes: number;
    readonly smoothing: number;
    readonly losses: DeviceBuffer;
    readonly dLogits?: DeviceBuffer | undefined;
    readonly predictions?: DeviceBuffer | undefined;
  }): void;
}
