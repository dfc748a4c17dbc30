/** How far two arrays are apart. */

export type Numbers = readonly number[] | Float32Array | Float64Array;

export function norm(values: Numbers): number {
  let sum = 0;
  for (const value of values) sum += value ** 2;
  return Math.sqrt(sum);
}

/** ||actual - expected|| / ||expected||, in double precision; NaN anywhere gives NaN. */
export function relativeError(actual: Numbers, expected: Numbers): number {
  if (actual.length !== expected.length) {
    throw new Error(`${actual.length} values compared with ${expected.length}`);
  }
  const differences = Float64Array.from(actual, (value, i) => value - expected[i]!);
  return norm(differences) / norm(expected);
}
