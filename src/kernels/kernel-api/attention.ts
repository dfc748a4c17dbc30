/** softmax(Q K^T / sqrt(d)) V for every image and head, without storing the matrix of scores. */
import type { DeviceBuffer } from './memory.js';

export interface AttentionShape {
  readonly images: number;
  /** S: tokens of an image. */
  readonly tokens: number;
  readonly heads: number;
  /** d: D / heads. */
  readonly width: number;
  /** Operands of products are rounded to bf16. */
  readonly bf16?: boolean;
}

export interface AttentionKernels {
  /**
   * @param by.qkv [B S, 3 D], a token's row q, k, v, each with its heads one after the other; f32 or bf16
   * @param by.out [B S, D], stored as qkv
   * @param by.logSumExp [B, heads, S], f32, written: the log of the sum of exp over the scaled scores
   */
  attentionForward(
    by: AttentionShape & {
      readonly qkv: DeviceBuffer;
      readonly out: DeviceBuffer;
      readonly logSumExp: DeviceBuffer;
    },
  ): void;
  /** @param by.dQkv [B S, 3 D], stored as qkv, written */
  attentionBackward(
    by: AttentionShape & {
      readonly qkv: DeviceBuffer;
      readonly out: DeviceBuffer;
      readonly logSumExp: DeviceBuffer;
      readonly dOut: DeviceBuffer;
      readonly dQkv: DeviceBuffer;
    },
  ): void;
}
