/**
 * The model's input on a device: 8-bit pixels are copied there and turned into patches in the precision of
 * the activations.
 */
import { tf } from '../tfjs.js';
import { patchCount, patchLength } from '../../run/model/model-spec.js';
import type { PixelScale } from '../../run/model/patches.js';
import { STORAGE, type DeviceBuffer } from '../../kernels/kernel-api.js';
import { bufferOf, emptyTensor } from '../backend/tensor-buffers.js';
import type { VitParts } from '../vit/pass.js';
import type { FusedDevice } from './device.js';

/** The input of equation 1, [B N, C P P], from 8-bit pixels [B, S, S, 3] or from patches. */
export function modelInput(device: FusedDevice): VitParts['input'] {
  const { kernels } = device;
  /** The table of pixel values on the device, the same for every micro-batch of a run. */
  let kept: { readonly scale: PixelScale; readonly buffer: DeviceBuffer } | undefined;
  const table = (scale: PixelScale): DeviceBuffer => {
    if (kept?.scale === scale) return kept.buffer;
    if (kept !== undefined) kernels.release(kept.buffer);
    kept = undefined;
    const buffer = kernels.allocate({ length: scale.length, storage: STORAGE.f32 });
    kernels.write({ buffer, values: Float32Array.from(scale) });
    kept = { scale, buffer };
    return buffer;
  };
  return (input, spec, scale) => {
    const width = patchLength(spec);
    if ('patches' in input) {
      // A copy, because the caller's array may be on shared memory, which tfjs does not take.
      const { patches } = input;
      return tf.tensor2d(patches.slice(), [patches.length / width, width], 'float32');
    }
    const { pixels, flips } = input;
    const images = flips.length;
    const y = device.activation(images * patchCount(spec), width);
    // As tensors (of 8 bits an element), tidy disposes of them whatever happens.
    const upload = (values: Uint8Array) => {
      const tensor = emptyTensor([values.length], 'bool');
      kernels.write({ buffer: bufferOf(tensor), values });
      return bufferOf(tensor);
    };
    tf.tidy(() => {
      kernels.patchesFromPixels({
        pixels: upload(pixels),
        flips: upload(flips),
        values: table(scale),
        y: bufferOf(y),
        images,
        side: spec.imageSize,
        patch: spec.patch,
      });
    });
    return y;
  };
}
