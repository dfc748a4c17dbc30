/** How a process computes on a GPU: arrays are copied there, weights are kept in the precision of products too. */
import type * as tf from '@tensorflow/tfjs-core';
import { coded, reasonOf } from '../../shared/errors.js';
import { composedParts } from '../model/composed-parts.js';
import { FusedDevice, type Precision } from '../model/fused/device.js';
import { fusedParts } from '../model/fused/fused-parts.js';
import type { Compute } from './compute.js';
import type { GradientTensor } from './gradient-tensor.js';
import { STORAGE, type GpuKernels } from './native/kernel-api.js';
import { bufferOf, emptyTensor } from './native/tensor-buffers.js';
import type { Placement } from './placement.js';

/** A gradient where it was computed. */
export function deviceGradient(gradient: tf.Tensor): GradientTensor {
  return {
    length: gradient.size,
    buffer: bufferOf(gradient),
    hostValues: () => gradient.dataSync<'float32'>(),
  };
}

function placement(kernels: GpuKernels, precision: Precision): Placement {
  const inBf16 = (weight: tf.Tensor2D): tf.Tensor2D => {
    const copy = emptyTensor<tf.Rank.R2>(weight.shape, 'float32', STORAGE.bf16);
    kernels.convert({ x: bufferOf(weight), y: bufferOf(copy), length: weight.size });
    return copy;
  };
  return {
    place: (values, shape) => {
      const tensor = emptyTensor<tf.Rank>(shape);
      kernels.write({ buffer: bufferOf(tensor), values });
      return tensor;
    },
    transposed: false,
    ...(precision === 'bf16' ? { operand: inBf16 } : {}),
  };
}

/** @throws BACKEND_UNAVAILABLE when the GPU cannot be opened */
export function gpuCompute(
  kernels: GpuKernels,
  gpu: number,
  precision: Precision,
  composed: boolean,
): Compute {
  try {
    const { level } = kernels.configure({ device: gpu });
    const parts = composed ? composedParts : fusedParts(new FusedDevice(kernels, precision));
    return {
      // The kind of GPU decides the order of sums.
      identity: `native ${level}`,
      parts,
      gpu: kernels,
      placement: placement(kernels, precision),
      gradientOf: deviceGradient,
    };
  } catch (thrown) {
    const reason = reasonOf(thrown);
    throw coded('BACKEND_UNAVAILABLE', {
      backend: `native on cuda:${gpu}`,
      reason,
      available: 'native on the cpu',
    });
  }
}
