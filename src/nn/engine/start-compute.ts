/** Starts the backend of this process, with its parts of the network and its way to make tensors. */
import { availableParallelism } from 'node:os';
import type * as tf from '@tensorflow/tfjs-core';
import { coded } from '../../errors/errors.js';
import { composedParts } from '../vit/composed-parts.js';
import { FusedDevice } from '../fused/device.js';
import { fusedParts } from '../fused/fused-parts.js';
import { startBackend } from '../backend/backend.js';
import type { Compute, ComputeOptions } from './compute.js';
import { gpuCompute } from './gpu-compute.js';
import { hostGradient, type GradientTensor } from '../../kernels/gradient-tensor.js';
import { copyingMaker, type TensorMaker } from '../tensor-maker.js';
import { isGpu } from '../../kernels/kernel-api.js';
import { deviceGradient, nativeKernels, wrapHost } from '../backend/tensor-buffers.js';

/** Tensors on the memory of the arrays, without copies. */
const inPlace: TensorMaker = { make: wrapHost, transposed: false };

function readGradient(gradient: tf.Tensor): GradientTensor {
  return hostGradient(gradient.dataSync<'float32'>());
}

/** @throws BACKEND_UNAVAILABLE, PRECISION_UNSUPPORTED */
export async function startCompute(options: ComputeOptions): Promise<Compute> {
  const { precision = 'fp32', threads = 0, gpu = null } = options;
  const backend = await startBackend(options.backend, gpu);
  if (backend !== 'native') {
    if (precision !== 'fp32') throw coded('PRECISION_UNSUPPORTED', { precision, backend });
    return { identity: backend, parts: composedParts, tensors: copyingMaker, gradientOf: readGradient };
  }
  const kernels = nativeKernels();
  if (isGpu(kernels)) {
    const { composed = false, productChoices = null, tune = false } = options;
    return gpuCompute(kernels, { gpu: gpu ?? 0, precision, composed, productChoices, tune });
  }
  const { level } = kernels.configure({ threads: threads === 0 ? availableParallelism() : threads });
  const parts = options.composed === true ? composedParts : fusedParts(new FusedDevice(kernels, precision));
  // The level is part of the name, because levels differ in the order of their sums.
  return { identity: `native ${level}`, parts, tensors: inPlace, gradientOf: deviceGradient };
}
