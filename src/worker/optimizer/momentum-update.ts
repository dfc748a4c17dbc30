/** One update of SGD with momentum over a range of parameters, in double arithmetic. */

export interface MomentumCoefficients {
  readonly lr: number;
  readonly momentum: number;
  readonly clipFactor: number;
  readonly weightDecay: number;
}

export interface MomentumArrays {
  readonly weights: Float32Array;
  readonly gradient: Float32Array;
  readonly momentumBuffer: Float32Array;
}

/**
 * Updates elements [start, end) in place, in the form of torch.optim.SGD (no dampening, no Nesterov):
 * b = momentum b + (g + decay w), w -= lr b. b starts at 0.
 */
export function momentumUpdate(
  arrays: MomentumArrays,
  start: number,
  end: number,
  by: MomentumCoefficients,
): void {
  const { weights, gradient, momentumBuffer: buffer } = arrays;
  const { lr, momentum, clipFactor, weightDecay } = by;
  for (let i = start; i < end; i++) {
    const w = weights[i]!;
    const b = momentum * buffer[i]! + (gradient[i]! * clipFactor + weightDecay * w);
    buffer[i] = b;
    weights[i] = w - lr * b;
  }
}
