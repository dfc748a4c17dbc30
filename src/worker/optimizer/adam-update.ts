/** One update of Adam over a range of parameters, decoupled or coupled decay, in double arithmetic. */

import type { AdamArrays, AdamCoefficients } from '../../kernels/kernel-api/exact.js';

/**
 * Updates elements [start, end) in place: moments of the clipped gradient, then
 * w -= lr (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + decay w).
 * Only + - x / and sqrt, so the bits do not depend on the engine.
 * Sources: Kingma and Ba, arXiv 1412.6980; Loshchilov and Hutter, arXiv 1711.05101.
 */
export function adamUpdate(arrays: AdamArrays, start: number, end: number, by: AdamCoefficients): void {
  const { weights, gradient, expAvg, expAvgSq } = arrays;
  const { lr, beta1, beta2, eps, clipFactor, firstCorrection, secondCorrection } = by;
  const { coupledDecay, decoupledDecay } = by;
  const rest1 = 1 - beta1;
  const rest2 = 1 - beta2;
  for (let i = start; i < end; i++) {
    const w = weights[i]!;
    const g = gradient[i]! * clipFactor + coupledDecay * w;
    const m = beta1 * expAvg[i]! + rest1 * g;
    const v = beta2 * expAvgSq[i]! + rest2 * g * g;
    expAvg[i] = m;
    expAvgSq[i] = v;
    const direction = (m * firstCorrection) / (Math.sqrt(v) * secondCorrection + eps);
    weights[i] = w - lr * (direction + decoupledDecay * w);
  }
}
