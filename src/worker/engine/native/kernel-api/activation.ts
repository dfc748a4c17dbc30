/** The Gaussian error linear unit and dropout. */
import type { DeviceBuffer } from './memory.js';

export const GELU_FORM = { tanh: 0, erf: 1 } as const;
export type GeluFormCode = (typeof GELU_FORM)[keyof typeof GELU_FORM];

/** A dropout's random numbers, as `dropoutMask` takes them: Philox by counter, 16 bits an element. */
export interface DropoutStream {
  /** Elements whose 16 bits are below are zeroed. */
  readonly dropBelow: number;
  /** What the others are multiplied by, 1 / (1 - rate). */
  readonly kept: number;
  readonly key: readonly [number, number];
  readonly path: readonly [number, number, number];
}

export interface ActivationKernels {
  /** y = dropout(gelu(x)); may be in place. f32 or bf16. */
  geluForward(by: {
    readonly x: DeviceBuffer;
    readonly y: DeviceBuffer;
    readonly length: number;
    readonly form: GeluFormCode;
    readonly dropout?: DropoutStream | undefined;
  }): void;
  /** dh becomes dx = dh mask gelu'(x); where `keepOutput`, x becomes dropout(gelu(x)). */
  geluBackward(by: {
    readonly x: DeviceBuffer;
    readonly dh: DeviceBuffer;
    readonly length: number;
    readonly form: GeluFormCode;
    readonly dropout?: DropoutStream | undefined;
    readonly keepOutput?: boolean;
  }): void;
  /** y = x mask: dropout forward and, applied to a gradient, backward. May be in place. */
  dropout(by: {
    readonly x: DeviceBuffer;
    readonly y: DeviceBuffer;
    readonly length: number;
    readonly dropout: DropoutStream;
  }): void;
}
