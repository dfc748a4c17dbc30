/** Equation 1 of arXiv 2010.11929 without its gemm: patches from pixels, tokens from projected patches. */
import type { DropoutStream } from '../dropout-mask.js';
import type { DeviceBuffer } from './memory.js';

export interface TokenShape {
  readonly images: number;
  /** N: patches of an image; it has N + 1 tokens. */
  readonly patches: number;
  /** D */
  readonly width: number;
}

export interface TokenKernels {
  /**
   * [B, S, S, 3] pixels to [B (S/P)^2, 3 P^2] patches: row by row, inside a patch channel, row, column.
   * @param by.pixels u8
   * @param by.flips [B], u8: 1 mirrors an image left to right
   * @param by.values [3, 256], f32: what each pixel value of each channel stands for
   * @param by.y f32 or bf16
   */
  patchesFromPixels(by: {
    readonly pixels: DeviceBuffer;
    readonly flips: DeviceBuffer;
    readonly values: DeviceBuffer;
    readonly y: DeviceBuffer;
    readonly images: number;
    readonly side: number;
    readonly patch: number;
  }): void;
  /**
   * z = dropout([class; projected] + position): [B N, D] -> [B (N + 1), D].
   * @param by.projected with its bias; f32 or bf16, as z
   */
  assembleTokens(
    by: TokenShape & {
      readonly projected: DeviceBuffer;
      /** [D], f32 */
      readonly classToken: DeviceBuffer;
      /** [N + 1, D], f32 */
      readonly position: DeviceBuffer;
      readonly z: DeviceBuffer;
      readonly dropout?: DropoutStream | undefined;
    },
  ): void;
  /** The gradients of all three, summed over images in a fixed order. */
  assembleTokensBackward(
    by: TokenShape & {
      readonly dz: DeviceBuffer;
      readonly dProjected: DeviceBuffer;
      readonly dClassToken: DeviceBuffer;
      readonly dPosition: DeviceBuffer;
      readonly dropout?: DropoutStream | undefined;
    },
  ): void;
}
