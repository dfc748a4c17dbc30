/** The kernels that the fused parts use, and the precision in which they keep activations. */
import type * as tf from '@tensorflow/tfjs-core';
import { dropoutStream, type DropoutKey, type DropoutStream } from '../../kernels/dropout-mask.js';
import { STORAGE, type Activation, type DeviceKernels, type Storage } from '../../kernels/kernel-api.js';
import { bufferOf, emptyTensor } from '../backend/tensor-buffers.js';

export type Precision = 'fp32' | 'bf16';

export class FusedDevice {
  readonly kernels: DeviceKernels;
  /** Operands of matrix products are rounded to bf16. */
  readonly bf16: boolean;
  /** How activations and their gradients are stored. Parameters and their gradients are f32. */
  readonly storage: Storage;

  constructor(kernels: DeviceKernels, precision: Precision) {
    this.kernels = kernels;
    this.bf16 = precision === 'bf16';
    this.storage = this.bf16 ? STORAGE.bf16 : STORAGE.f32;
  }

  /** An activation [rows, width] to be written. */
  activation(rows: number, width: number): tf.Tensor2D {
    return emptyTensor<tf.Rank.R2>([rows, width], 'float32', this.storage);
  }

  /** float32 values to be written. */
  values<R extends tf.Rank>(shape: tf.ShapeMap[R]): tf.Tensor<R> {
    return emptyTensor<R>(shape);
  }

  /** y = x W^T + b into `y`. */
  linear(x: tf.Tensor2D, weights: DenseWeights, y: tf.Tensor2D, epilogue: LinearEpilogue = {}): void {
    const [m, k] = x.shape;
    const { residual, preActivation, ...rest } = epilogue;
    this.kernels.gemm({
      a: bufferOf(x),
      b: bufferOf(weights.operand ?? weights.weight),
      c: bufferOf(y),
      m,
      n: y.shape[1],
      k,
      transposeB: true,
      bf16: this.bf16,
      bias: weights.bias && bufferOf(weights.bias),
      ...rest,
      residual: residual && bufferOf(residual),
      preActivation: preActivation && bufferOf(preActivation),
    });
  }

  /** dx = dy W into `dx`. */
  linearInputGradient(dy: tf.Tensor2D, weights: DenseWeights, dx: tf.Tensor2D): void {
    const [m, k] = dy.shape;
    const operands = { a: bufferOf(dy), b: bufferOf(weights.operand ?? weights.weight), c: bufferOf(dx) };
    this.kernels.gemm({ ...operands, m, n: dx.shape[1], k, bf16: this.bf16 });
  }

  /** [dW, db] = [dy^T x, column sums of dy] */
  linearGradients(dy: tf.Tensor2D, x: tf.Tensor2D): [tf.Tensor2D, tf.Tensor1D] {
    const [k, m] = dy.shape;
    const n = x.shape[1];
    const dWeight = this.values<tf.Rank.R2>([m, n]);
    const dBias = this.values<tf.Rank.R1>([m]);
    this.kernels.gemm({
      a: bufferOf(dy),
      b: bufferOf(x),
      c: bufferOf(dWeight),
      m,
      n,
      k,
      transposeA: true,
      bf16: this.bf16,
      rowSumsOfA: bufferOf(dBias),
    });
    return [dWeight, dBias];
  }

  /** `dy` multiplied by the mask of the forward pass's dropout; `dy` itself if that had none. */
  throughDropout(dy: tf.Tensor2D, dropout: DropoutStream | undefined): tf.Tensor2D {
    if (dropout === undefined) return dy;
    const masked = this.activation(...dy.shape);
    this.kernels.dropout({ x: bufferOf(dy), y: bufferOf(masked), length: dy.size, dropout });
    return masked;
  }
}

export interface DenseWeights {
  /** [out, in] */
  readonly weight: tf.Tensor2D;
  /** The same in the storage that gemms use; if it is missing, every gemm converts `weight`. */
  readonly operand?: tf.Tensor2D | undefined;
  /** [out]; undefined for a layer without one */
  readonly bias: tf.Tensor1D | undefined;
}

export interface LinearEpilogue {
  readonly activation?: Activation;
  readonly preActivation?: tf.Tensor2D | undefined;
  readonly dropout?: DropoutStream | undefined;
  readonly residual?: tf.Tensor2D;
}

/** Undefined if nothing is dropped. */
export function activeDropout(key: DropoutKey | undefined, site: number): DropoutStream | undefined {
  return key === undefined || key.rate === 0 ? undefined : dropoutStream(key, site);
}
