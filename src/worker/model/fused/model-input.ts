/** The model's input on a device: 8-bit pixels go there, and become patches in the precision of the activations. */
import * as tf from '@tensorflow/tfjs-core';
import { patchCount, patchLength } from '../../../shared/model/model-spec.js';
import { STORAGE } from '../../engine/native/kernel-api.js';
import { bufferOf } from '../../engine/native/tensor-buffers.js';
import type { VitParts } from '../pass.js';
import type { FusedDevice } from './device.js';

export function modelInput(device: FusedDevice): VitParts['input'] {
  const { kernels } = device;
  return (input, spec, scale) => {
    const width = patchLength(spec);
    if ('patches' in input) {
      // A copy: the caller's array may be shared memory, which tfjs does not take.
      const { patches } = input;
      return tf.tensor2d(patches.slice(), [patches.length / width, width], 'float32');
    }
    const { pixels, flips } = input;
    const images = flips.length;
    const y = device.activation(images * patchCount(spec), width);
    const upload = (values: Uint8Array) => {
      const buffer = kernels.allocate({ length: values.length, storage: STORAGE.u8 });
      kernels.write({ buffer, values });
      return buffer;
    };
    const [pixelBuffer, flipBuffer] = [upload(pixels), upload(flips)];
    const values = tf.tensor1d(scale, 'float32');
    kernels.patchesFromPixels({
      ...{ pixels: pixelBuffer, flips: flipBuffer, values: bufferOf(values), y: bufferOf(y) },
      ...{ images, side: spec.imageSize, patch: spec.patch },
    });
    values.dispose();
    kernels.release(flipBuffer);
    kernels.release(pixelBuffer);
    return y;
  };
}
