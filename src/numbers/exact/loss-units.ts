/** Losses as integers, so that their sums are exact in any order. */

/** A loss of 1, in units. */
const UNITS_PER_LOSS = 2 ** 24;

/** The nearest number of units. It is not a safe integer if the loss is not finite or far too large. */
export function lossUnits(loss: number): number {
  return Math.round(loss * UNITS_PER_LOSS);
}

export function lossOfUnits(units: number): number {
  return units / UNITS_PER_LOSS;
}
