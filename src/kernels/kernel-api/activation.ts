/** The Gaussian error linear unit and dropout. */
import type { DropoutStream } from '../dropout-mask.js';

import type { DeviceBuffer } from './memory.js';

export type { DropoutStream };

export const GELU_FORM = { tanh: 0, erf: 1 } as const;
export type GeluFormCode = (typeof GELU_FORM)[keyof typeof GELU_FORM];

export interface ActivationKernels {
  /** y = dropout(gelu(x)); may be in place. f32 or bf16. */
  geluForward(by: {
    readonly x: DeviceBuffer;
    readonly y: DeviceBuffer;
    readonly length: number;
    readonly form: GeluFormCode;
    readonly dropout?: DropoutStream | undefined;
  }): void;
  /** dh becomes dx = dh mask gelu'(x). With `keepOutput`, x becomes dropout(gelu(x)). */
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
