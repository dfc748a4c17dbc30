/** LayerNorm on a device, with the statistics that the backward pass needs. */
import { tf } from '../tfjs.js';
import { bufferOf } from '../backend/tensor-buffers.js';
import type { LayerNormWeights } from '../ops/layer-norm.js';
import type { VitParts } from '../vit/pass.js';
import type { FusedDevice } from './device.js';

export interface NormStatistics {
  /** [T] */
  readonly mean: tf.Tensor1D;
  /** [T] */
  readonly rstd: tf.Tensor1D;
}

/** LN(x), [T, D] -> [T, D] */
export function normalise(
  device: FusedDevice,
  x: tf.Tensor2D,
  weights: LayerNormWeights,
): NormStatistics & { readonly y: tf.Tensor2D } {
  const [rows, width] = x.shape;
  const y = device.activation(rows, width);
  const mean = device.values<tf.Rank.R1>([rows]);
  const rstd = device.values<tf.Rank.R1>([rows]);
  device.kernels.layerNormForward({
    x: bufferOf(x),
    y: bufferOf(y),
    rows,
    width,
    epsilon: weights.epsilon,
    scale: bufferOf(weights.scale),
    shift: bufferOf(weights.shift),
    mean: bufferOf(mean),
    rstd: bufferOf(rstd),
  });
  return { y, mean, rstd };
}

/**
 * Computes the same LN(x) again from its statistics, which is cheaper than keeping it until the backward
 * pass.
 */
export function recomputeNormalised(
  device: FusedDevice,
  x: tf.Tensor2D,
  weights: LayerNormWeights,
  { mean, rstd }: NormStatistics,
): tf.Tensor2D {
  const [rows, width] = x.shape;
  const y = device.activation(rows, width);
  device.kernels.layerNormRecompute({
    x: bufferOf(x),
    y: bufferOf(y),
    rows,
    width,
    scale: bufferOf(weights.scale),
    shift: bufferOf(weights.shift),
    mean: bufferOf(mean),
    rstd: bufferOf(rstd),
  });
  return y;
}

/** Gradients of x, scale and shift. `residual` is the gradient that reaches x past the norm, if there is one. */
export function normaliseGradients(
  device: FusedDevice,
  x: tf.Tensor2D,
  weights: LayerNormWeights,
  { mean, rstd }: NormStatistics,
  dy: tf.Tensor2D,
  residual?: tf.Tensor2D,
): [dx: tf.Tensor2D, dScale: tf.Tensor1D, dShift: tf.Tensor1D] {
  const [rows, width] = x.shape;
  const dx = device.activation(rows, width);
  const dScale = device.values<tf.Rank.R1>([width]);
  const dShift = device.values<tf.Rank.R1>([width]);
  device.kernels.layerNormBackward({
    x: bufferOf(x),
    dy: bufferOf(dy),
    scale: bufferOf(weights.scale),
    rows,
    width,
    mean: bufferOf(mean),
    rstd: bufferOf(rstd),
    residual: residual && bufferOf(residual),
    dx: bufferOf(dx),
    dScale: bufferOf(dScale),
    dShift: bufferOf(dShift),
  });
  return [dx, dScale, dShift];
}

/** LN(z) as a part of its own. */
export function norm(device: FusedDevice): VitParts['norm'] {
  return (tape, z, weights) =>
    tf.tidy(() => {
      const { y, mean, rstd } = normalise(device, z, weights);
      tape?.record({
        output: y,
        inputs: [z, weights.scale, weights.shift],
        saved: [z, mean, rstd],
        backward: (dy, [savedZ, savedMean, savedRstd]) => {
          const statistics = { mean: savedMean, rstd: savedRstd };
          return normaliseGradients(device, savedZ, weights, statistics, dy as tf.Tensor2D);
        },
      });
      return y;
    });
}
