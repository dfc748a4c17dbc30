/** Layer normalisation over rows (arXiv 1607.06450). x, y and their gradients are f32 or bf16; the rest is f32. */
import type { DeviceBuffer } from './memory.js';

export interface NormShape {
  readonly rows: number;
  readonly width: number;
  /**
   * Elements from one row of x and dx to the next; `width` if missing. (For class tokens, which are one row
   * in N + 1.)
   */
  readonly stride?: number;
}

export interface NormKernels {
  /** y = (x - mean) rstd scale + shift. @param by.mean [rows], written; rstd likewise */
  layerNormForward(
    by: NormShape & {
      readonly x: DeviceBuffer;
      readonly y: DeviceBuffer;
      readonly scale: DeviceBuffer;
      readonly shift: DeviceBuffer;
      readonly epsilon: number;
      readonly mean: DeviceBuffer;
      readonly rstd: DeviceBuffer;
    },
  ): void;
  /** The same y, from the saved statistics, so that y need not be kept for the backward pass. */
  layerNormRecompute(
    by: NormShape & {
      readonly x: DeviceBuffer;
      readonly y: DeviceBuffer;
      readonly scale: DeviceBuffer;
      readonly shift: DeviceBuffer;
      readonly mean: DeviceBuffer;
      readonly rstd: DeviceBuffer;
    },
  ): void;
  /**
   * dx = residual + the gradient of x; dScale and dShift [width], summed over rows in a fixed order.
   * @param by.residual gradient that reaches x past the norm, laid out as dx, or dx itself
   */
  layerNormBackward(
    by: NormShape & {
      readonly x: DeviceBuffer;
      readonly dy: DeviceBuffer;
      readonly scale: DeviceBuffer;
      readonly mean: DeviceBuffer;
      readonly rstd: DeviceBuffer;
      readonly residual?: DeviceBuffer | undefined;
      readonly dx: DeviceBuffer;
      readonly dScale: DeviceBuffer;
      readonly dShift: DeviceBuffer;
    },
  ): void;
}
