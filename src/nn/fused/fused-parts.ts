/** The network's parts on the fused kernels of a device. */
import type { VitParts } from '../vit/pass.js';
import { attentionBranch } from './attention-branch.js';
import { crossEntropy } from './cross-entropy.js';
import type { FusedDevice } from './device.js';
import { classToken } from './class-token.js';
import { embed } from './embedding.js';
import { modelInput } from './model-input.js';
import { mlpBranch } from './mlp-branch.js';
import { norm } from './norm.js';
import { poolTokens } from './pool-tokens.js';

/** All parts of the network; `VitParts` gives their shapes. */
export function fusedParts(device: FusedDevice): VitParts {
  return {
    input: modelInput(device),
    embed: embed(device),
    attentionBranch: attentionBranch(device),
    mlpBranch: mlpBranch(device),
    classToken: classToken(device),
    poolTokens: poolTokens(device),
    norm: norm(device),
    crossEntropy: crossEntropy(device),
  };
}
