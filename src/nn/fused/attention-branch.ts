/**
 * Equation 2 of arXiv 2010.11929 on fused kernels. For the backward pass it keeps z, the packed q, k, v, and
 * the attention's result.
 */
import { tf } from '../tfjs.js';
import { bufferOf } from '../backend/tensor-buffers.js';
import { DROPOUT_SITE } from '../vit/dropout-site.js';
import type { VitParts } from '../vit/pass.js';
import { BRANCH, droppedSamples } from '../vit/drop-path.js';
import { parametersOf } from '../ops/linear.js';
import { BranchOutput } from './branch-output.js';
import { activeDropout, type FusedDevice } from './device.js';
import { branchGradient, withoutBranch } from './dropped-rows.js';
import { normalise, recomputeNormalised, normaliseGradients } from './norm.js';

/** z' = MSA(LN(z)) + z, [T, D] -> [T, D]. */
export function attentionBranch(device: FusedDevice): VitParts['attentionBranch'] {
  const { kernels, bf16 } = device;
  return ({ tape, images, dropout: key, dropPath }, { norm1, attention }, layer, z) => {
    const [rows, hidden] = z.shape;
    const { heads, qkv: qkvWeights } = attention;
    const path = droppedSamples(dropPath, layer, BRANCH.attention, images);
    const last = new BranchOutput(device, attention.out, attention.scale, path?.kept);
    const shape = { images, tokens: rows / images, heads, width: hidden / heads, bf16 };
    const dropout = activeDropout(key, DROPOUT_SITE.attentionOutput(layer));
    return tf.tidy(() => {
      const { y, mean, rstd } = normalise(device, z, norm1);
      const qkv = device.activation(rows, 3 * hidden);
      device.linear(y, qkvWeights, qkv);
      y.dispose();
      const mixed = device.activation(rows, hidden);
      const logSumExp = device.values<tf.Rank.R1>([rows * heads]);
      kernels.attentionForward({
        ...shape,
        qkv: bufferOf(qkv),
        out: bufferOf(mixed),
        logSumExp: bufferOf(logSumExp),
      });
      const output = device.activation(rows, hidden);
      device.linear(mixed, last.folded(), output, { dropout, residual: z });
      withoutBranch(device, z, output, images, path?.dropped);

      tape?.record({
        output,
        inputs: [z, norm1.scale, norm1.shift, ...parametersOf(qkvWeights), ...last.parameters],
        saved: [z, mean, rstd, qkv, mixed, logSumExp],
        backward: (dOutput, [savedZ, savedMean, savedRstd, savedQkv, savedMixed, savedLogSumExp]) => {
          const statistics = { mean: savedMean, rstd: savedRstd };
          const dz = dOutput as tf.Tensor2D;
          const dBranch = branchGradient(device, device.throughDropout(dz, dropout), images, path?.dropped);
          const dLast = last.gradients(dBranch, savedMixed);
          const dMixed = device.activation(rows, hidden);
          device.linearInputGradient(dBranch, last.folded(), dMixed);
          if (dBranch !== dz) dBranch.dispose();
          const dQkv = device.activation(rows, 3 * hidden);
          kernels.attentionBackward({
            ...shape,
            qkv: bufferOf(savedQkv),
            out: bufferOf(savedMixed),
            logSumExp: bufferOf(savedLogSumExp),
            dOut: bufferOf(dMixed),
            dQkv: bufferOf(dQkv),
          });
          dMixed.dispose();
          const normalised = recomputeNormalised(device, savedZ, norm1, statistics);
          const [dQkvWeight, dQkvBias] = device.linearGradients(dQkv, normalised);
          // Its values are not needed any more, so the gradient overwrites them.
          const dNormalised = normalised;
          device.linearInputGradient(dQkv, qkvWeights, dNormalised);
          dQkv.dispose();
          const [dx, dScale, dShift] = normaliseGradients(device, savedZ, norm1, statistics, dNormalised, dz);
          const dQkvParameters = qkvWeights.bias === undefined ? [dQkvWeight] : [dQkvWeight, dQkvBias];
          return [dx, dScale, dShift, ...dQkvParameters, ...dLast];
        },
      });
      return output;
    });
  };
}
