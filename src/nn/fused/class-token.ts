/** The class token of every image, for equation 4 of arXiv 2010.11929, on fused kernels. */
import { tf } from '../tfjs.js';
import { bufferOf } from '../backend/tensor-buffers.js';
import type { VitParts } from '../vit/pass.js';
import type { FusedDevice } from './device.js';

/**
 * Everything after the class token is float32 in any precision, because it is only one row for each image.
 */
export function classToken(device: FusedDevice): VitParts['classToken'] {
  const { kernels } = device;
  return (tape, z, images) => {
    const [rows, width] = z.shape;
    const shape = [images, width];
    const [long, dense] = [
      [(rows / images) * width, 1],
      [width, 1],
    ];
    return tf.tidy(() => {
      const stored = device.activation(images, width);
      kernels.stridedCopy({ x: bufferOf(z), y: bufferOf(stored), shape, stridesX: long, stridesY: dense });
      const y = device.values<tf.Rank.R2>([images, width]);
      kernels.convert({ x: bufferOf(stored), y: bufferOf(y), length: y.size });
      tape?.record({
        output: y,
        inputs: [z],
        saved: [],
        backward: (dy) => {
          const converted = device.activation(images, width);
          kernels.convert({ x: bufferOf(dy), y: bufferOf(converted), length: dy.size });
          const dz = device.activation(rows, width);
          kernels.fill({ y: bufferOf(dz), value: 0, length: dz.size });
          kernels.stridedCopy({
            x: bufferOf(converted),
            y: bufferOf(dz),
            shape,
            stridesX: dense,
            stridesY: long,
          });
          return [dz];
        },
      });
      return y;
    });
  };
}
