/**
 * Equation 3 of arXiv 2010.11929 on fused kernels. For the backward pass it keeps z and the values before
 * GELU, and computes everything else again.
 */
import { tf } from '../tfjs.js';
import { ACTIVATION, GELU_FORM } from '../../kernels/kernel-api.js';
import { bufferOf } from '../backend/tensor-buffers.js';
import { DROPOUT_SITE } from '../vit/dropout-site.js';
import type { VitParts } from '../vit/pass.js';
import { BRANCH, droppedSamples } from '../vit/drop-path.js';
import { parametersOf } from '../ops/linear.js';
import { BranchOutput } from './branch-output.js';
import { activeDropout, type FusedDevice } from './device.js';
import { branchGradient, withoutBranch } from './dropped-rows.js';
import { normalise, recomputeNormalised, normaliseGradients } from './norm.js';

/** z = MLP(LN(z')) + z', [T, D] -> [T, D]. */
export function mlpBranch(device: FusedDevice): VitParts['mlpBranch'] {
  const { kernels } = device;
  return ({ tape, images, dropout: key, dropPath }, { norm2, mlp }, layer, z) => {
    const [rows, hidden] = z.shape;
    const { fc1 } = mlp;
    const path = droppedSamples(dropPath, layer, BRANCH.mlp, images);
    const last = new BranchOutput(device, mlp.fc2, mlp.scale, path?.kept);
    const wide = fc1.weight.shape[0];
    const form = GELU_FORM[mlp.gelu];
    const activation = mlp.gelu === 'erf' ? ACTIVATION.geluErf : ACTIVATION.geluTanh;
    const hiddenDropout = activeDropout(key, DROPOUT_SITE.mlpHidden(layer));
    const outputDropout = activeDropout(key, DROPOUT_SITE.mlpOutput(layer));
    return tf.tidy(() => {
      const { y, mean, rstd } = normalise(device, z, norm2);
      const preActivation = tape === undefined ? undefined : device.activation(rows, wide);
      const active = device.activation(rows, wide);
      device.linear(y, fc1, active, { activation, preActivation, dropout: hiddenDropout });
      y.dispose();
      const output = device.activation(rows, hidden);
      device.linear(active, last.folded(), output, { dropout: outputDropout, residual: z });
      withoutBranch(device, z, output, images, path?.dropped);
      active.dispose();
      if (tape === undefined || preActivation === undefined) return output;

      tape.record({
        output,
        inputs: [z, norm2.scale, norm2.shift, ...parametersOf(fc1), ...last.parameters],
        saved: [z, mean, rstd, preActivation],
        backward: (dOutput, [savedZ, savedMean, savedRstd, savedPreActivation]) => {
          const statistics = { mean: savedMean, rstd: savedRstd };
          const dz = dOutput as tf.Tensor2D;
          const dBranch = branchGradient(
            device,
            device.throughDropout(dz, outputDropout),
            images,
            path?.dropped,
          );
          const dWide = device.activation(rows, wide);
          device.linearInputGradient(dBranch, last.folded(), dWide);
          // In place: the saved values are overwritten by the activations, and their gradient by that of the
          // saved values.
          kernels.geluBackward({
            x: bufferOf(savedPreActivation),
            dh: bufferOf(dWide),
            length: rows * wide,
            form,
            dropout: hiddenDropout,
            keepOutput: true,
          });
          const dLast = last.gradients(dBranch, savedPreActivation);
          if (dBranch !== dz) dBranch.dispose();
          const normalised = recomputeNormalised(device, savedZ, norm2, statistics);
          const [dWeight1, dBias1] = device.linearGradients(dWide, normalised);
          // Its values are not needed any more, so the gradient overwrites them.
          const dNormalised = normalised;
          device.linearInputGradient(dWide, fc1, dNormalised);
          dWide.dispose();
          const [dx, dScale, dShift] = normaliseGradients(device, savedZ, norm2, statistics, dNormalised, dz);
          return [dx, dScale, dShift, dWeight1, dBias1, ...dLast];
        },
      });
      return output;
    });
  };
}
