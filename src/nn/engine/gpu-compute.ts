/**
 * Starts computing on a GPU: arrays are copied there, and weights are also kept in the precision of gemms.
 */
import type * as tf from '@tensorflow/tfjs-core';
import { coded, reasonOf, VitrailError } from '../../errors/errors.js';
import { composedParts } from '../vit/composed-parts.js';
import { FusedDevice, type Precision } from '../fused/device.js';
import { fusedParts } from '../fused/fused-parts.js';
import type { Compute, ComputeOptions } from './compute.js';
import type { GpuKernels } from '../../kernels/kernel-api.js';
import { bf16Copy, bufferOf, deviceGradient, emptyTensor } from '../backend/tensor-buffers.js';
import { readGemmChoices } from '../../kernels/gemm-choices.js';
import type { TensorMaker } from '../tensor-maker.js';

function tensorMaker(kernels: GpuKernels, precision: Precision): TensorMaker {
  const inBf16 = (weight: tf.Tensor2D): tf.Tensor2D => bf16Copy(bufferOf(weight), weight.shape);
  return {
    make: (values, shape) => {
      const tensor = emptyTensor<tf.Rank>(shape);
      kernels.write({ buffer: bufferOf(tensor), values });
      return tensor;
    },
    transposed: false,
    ...(precision === 'bf16' ? { operand: inBf16 } : {}),
  };
}

/** @see ComputeOptions */
export type GpuOptions = Required<
  Pick<ComputeOptions, 'precision' | 'composed' | 'productChoices' | 'tune'>
> & { readonly gpu: number };

/** Everything besides the run's options that the bits of a GPU's results depend on. */
function identityOf(kernels: GpuKernels, level: string): string {
  const { name, version, digest } = kernels.gemmLibrary();
  return ['native', level, name, version, digest.slice(0, 12)].filter((word) => word !== '').join(' ');
}

/** @throws BACKEND_UNAVAILABLE if the GPU or cuBLASLt cannot be opened; PRODUCT_CHOICES_UNREADABLE */
export function gpuCompute(kernels: GpuKernels, options: GpuOptions): Compute {
  const { gpu, precision, composed, productChoices, tune } = options;
  try {
    const { level } = kernels.configure({ device: gpu });
    kernels.configure({ tune });
    if (productChoices !== null) kernels.setGemmChoices({ choices: readGemmChoices(productChoices) });
    const parts = composed ? composedParts : fusedParts(new FusedDevice(kernels, precision));
    return {
      identity: identityOf(kernels, level),
      parts,
      gpu: kernels,
      tensors: tensorMaker(kernels, precision),
      gradientOf: deviceGradient,
    };
  } catch (thrown) {
    if (thrown instanceof VitrailError) throw thrown;
    const reason = reasonOf(thrown);
    throw coded('BACKEND_UNAVAILABLE', {
      backend: `native on cuda:${gpu}`,
      reason,
      available: 'native on the cpu',
    });
  }
}
