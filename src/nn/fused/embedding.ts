/** Equation 1 of arXiv 2010.11929 on fused kernels, and the class token for equation 4. */
import { tf } from '../tfjs.js';
import { bufferOf } from '../backend/tensor-buffers.js';
import { DROPOUT_SITE } from '../vit/dropout-site.js';
import type { VitParts } from '../vit/pass.js';
import { activeDropout, type FusedDevice } from './device.js';

/** Equation 1, with dropout after the position embedding: [B N, C P P] -> [B (N + 1), D]. */
export function embed(device: FusedDevice): VitParts['embed'] {
  const { kernels } = device;
  return ({ tape, images, dropout: key }, { projection, classToken, position }, patches) => {
    const [tokens, width] = position.shape;
    const shape = { images, patches: tokens - 1, width };
    const dropout = activeDropout(key, DROPOUT_SITE.embedding);
    return tf.tidy(() => {
      const projected = device.activation(patches.shape[0], width);
      device.linear(patches, projection, projected);
      const z = device.activation(images * tokens, width);
      const parameters = { classToken: bufferOf(classToken), position: bufferOf(position) };
      kernels.assembleTokens({
        ...shape,
        projected: bufferOf(projected),
        ...parameters,
        z: bufferOf(z),
        dropout,
      });
      tape?.record({
        output: z,
        inputs: [projection.weight, projection.bias, classToken, position],
        saved: [patches],
        backward: (dz, [savedPatches]) => {
          const dProjected = device.activation(savedPatches.shape[0], width);
          const dClassToken = device.values<tf.Rank.R2>([1, width]);
          const dPosition = device.values<tf.Rank.R2>([tokens, width]);
          kernels.assembleTokensBackward({
            ...shape,
            dz: bufferOf(dz),
            dProjected: bufferOf(dProjected),
            dropout,
            dClassToken: bufferOf(dClassToken),
            dPosition: bufferOf(dPosition),
          });
          return [...device.linearGradients(dProjected, savedPatches), dClassToken, dPosition];
        },
      });
      return z;
    });
  };
}

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
