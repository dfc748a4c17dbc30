/** Equation 1 of arXiv 2010.11929 on fused kernels. */
import { tf } from '../tfjs.js';
import { bufferOf } from '../backend/tensor-buffers.js';
import { positionOfAll, prefixGradients, prefixRows, type EmbeddingWeights } from '../ops/embed-tokens.js';
import { DROPOUT_SITE } from '../vit/dropout-site.js';
import type { VitParts } from '../vit/pass.js';
import { activeDropout, type FusedDevice } from './device.js';

/**
 * What is added to every token but the class token, [S, D]: its position, and for other tokens before the patches
 * themselves too, because the kernel takes them as patches of zeros.
 */
function addedToTokens(weights: EmbeddingWeights): tf.Tensor2D {
  const position = positionOfAll(weights);
  const [, ...others] = weights.prefix;
  if (others.length === 0) return position;
  const width = position.shape[1];
  const none = (rows: number): tf.Tensor2D => tf.zeros([rows, width]);
  return tf.add(position, tf.concat([none(1), ...others, none(weights.patches)], 0));
}

/** Equation 1, with dropout after the position embedding: [B N, C P P] -> [B S, D]. */
export function embed(device: FusedDevice): VitParts['embed'] {
  const { kernels } = device;
  return ({ tape, images, dropout: key }, weights, patches) => {
    const { projection, prefix, position, patches: ofImage } = weights;
    const width = position.shape[1];
    const others = prefixRows(weights) - 1;
    // All tokens but the class token are patches for the kernel.
    const shape = { images, patches: others + ofImage, width };
    const tokens = shape.patches + 1;
    const dropout = activeDropout(key, DROPOUT_SITE.embedding);
    /** Copies between dense rows of patches, [B N, D], and the rows of patches among others, [B (S - 1), D]. */
    const between = {
      shape: [images, ofImage * width],
      dense: [ofImage * width, 1],
      among: [shape.patches * width, 1],
      offset: others * width,
    };
    const spread = (projected: tf.Tensor2D): tf.Tensor2D => {
      if (others === 0) return projected;
      const among = device.activation(images * shape.patches, width);
      kernels.fill({ y: bufferOf(among), value: 0, length: among.size });
      kernels.stridedCopy({
        x: bufferOf(projected),
        y: bufferOf(among),
        shape: between.shape,
        offsetY: between.offset,
        stridesX: between.dense,
        stridesY: between.among,
      });
      return among;
    };
    const gathered = (among: tf.Tensor2D): tf.Tensor2D => {
      if (others === 0) return among;
      const dense = device.activation(images * ofImage, width);
      kernels.stridedCopy({
        x: bufferOf(among),
        y: bufferOf(dense),
        shape: between.shape,
        offsetX: between.offset,
        stridesX: between.among,
        stridesY: between.dense,
      });
      return dense;
    };
    return tf.tidy(() => {
      const projected = device.activation(patches.shape[0], width);
      device.linear(patches, projection, projected);
      const z = device.activation(images * tokens, width);
      kernels.assembleTokens({
        ...shape,
        projected: bufferOf(spread(projected)),
        classToken: bufferOf(prefix[0]),
        position: bufferOf(addedToTokens(weights)),
        z: bufferOf(z),
        dropout,
      });
      tape?.record({
        output: z,
        inputs: [projection.weight, projection.bias, ...prefix, position],
        saved: [patches],
        backward: (dz, [savedPatches]) => {
          const dAmong = device.activation(images * shape.patches, width);
          const dClassToken = device.values<tf.Rank.R2>([1, width]);
          const dPosition = device.values<tf.Rank.R2>([tokens, width]);
          kernels.assembleTokensBackward({
            ...shape,
            dz: bufferOf(dz),
            dProjected: bufferOf(dAmong),
            dropout,
            dClassToken: bufferOf(dClassToken),
            dPosition: bufferOf(dPosition),
          });
          const dProjection = device.linearGradients(gathered(dAmong), savedPatches);
          const [, ...dOthers] = prefixGradients(weights, dPosition);
          return [...dProjection, dClassToken, ...dOthers];
        },
      });
      return z;
    });
  };
}
