/** How far two arrays are apart. */

export function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}

/** ||actual - expected|| / ||expected||, in double precision; NaN anywhere gives NaN. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) {
    throw new Error(`${actual.length} values compared with ${expected.length}`);
  }
  const differences = Float64Array.from(actual, (value, i) => value - expected[i]!);
  return norm(differences) / norm(expected);
}
