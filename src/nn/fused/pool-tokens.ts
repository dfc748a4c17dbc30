/** Weighted sums over the tokens of every image, as a gemm for each image. */
import { tf } from '../tfjs.js';
import { bufferOf } from '../backend/tensor-buffers.js';
import type { VitParts } from '../vit/pass.js';
import type { FusedDevice } from './device.js';

/** [B S, D] -> [B Q, D], in float32 like everything after it, because there are few rows for each image. */
export function poolTokens(device: FusedDevice): VitParts['poolTokens'] {
  const { kernels } = device;
  return (tape, z, images, { count, factors }) => {
    const [rows, width] = z.shape;
    const tokens = rows / images;
    const matrix = (): tf.Tensor2D => tf.tensor2d(factors, [count, tokens], 'float32');
    const shape = { n: width, batch: images, strideA: 0 };
    return tf.tidy(() => {
      const y = device.values<tf.Rank.R2>([images * count, width]);
      kernels.gemm({
        ...shape,
        a: bufferOf(matrix()),
        b: bufferOf(z),
        c: bufferOf(y),
        m: count,
        k: tokens,
      });
      tape?.record({
        output: y,
        inputs: [z],
        saved: [],
        backward: (dy) => {
          const dz = device.activation(rows, width);
          kernels.gemm({
            ...shape,
            a: bufferOf(matrix()),
            b: bufferOf(dy),
            c: bufferOf(dz),
            m: tokens,
            k: count,
            transposeA: true,
          });
          return [dz];
        },
      });
      return y;
    });
  };
}
