/** The MLP of equation 3 of arXiv 2010.11929: linear, GELU, dropout, linear, dropout, and perhaps LayerScale. */
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { dropout } from '../ops/dropout.js';
import { gelu } from '../ops/gelu.js';
import { layerScale } from '../ops/layer-scale.js';
import { linear } from '../ops/linear.js';
import { DROPOUT_SITE } from './dropout-site.js';
import type { Pass } from './pass.js';
import type { MlpWeights } from './vit-weights.js';

/** [T, D] -> [T, D] */
export function mlp(pass: Pass, weights: MlpWeights, layer: number, x: Tensor2D): Tensor2D {
  const { tape } = pass;
  const active = gelu(tape, linear(tape, x, weights.fc1), weights.gelu);
  const hidden = dropout(tape, active, pass.dropout, DROPOUT_SITE.mlpHidden(layer));
  const out = linear(tape, hidden, weights.fc2);
  return layerScale(tape, dropout(tape, out, pass.dropout, DROPOUT_SITE.mlpOutput(layer)), weights.scale);
}
