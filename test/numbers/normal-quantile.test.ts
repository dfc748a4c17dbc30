/** The normal quantile against published values, symmetry and monotony. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalQuantile, portableLog } from '../../src/numbers/random/normal-quantile.js';

/** To 15 digits; the first four are the checks printed in Algorithm AS 241 (p = 0.25, 0.001, 1e-20) and the median. */
const QUANTILES: readonly (readonly [p: number, z: number])[] = [
  [0.5, 0],
  [0.25, -0.6744897501960817],
  [0.001, -3.090232306167813],
  [1e-20, -9.26234008979841],
  [0.025, -1.9599639845400543],
  [0.1, -1.2815515655446004],
  [0.9999, 3.719016485455709],
  [2 ** -33, -6.337957754553789],
];

for (const [p, z] of QUANTILES) {
  test(`the quantile of ${p} is ${z}`, () => {
    assert.ok(Math.abs(normalQuantile(p) - z) <= 5e-13 * Math.max(1, Math.abs(z)), `${normalQuantile(p)}`);
  });
}

test('the quantile is odd around the median', () => {
  for (const p of [0.01, 0.07, 0.075, 0.0750001, 0.3, 0.49]) {
    assert.ok(Math.abs(normalQuantile(p) + normalQuantile(1 - p)) < 1e-13);
  }
});

test('the quantile increases across the seams of its three branches', () => {
  let last = -Infinity;
  for (let i = 1; i < 4000; i++) {
    const z = normalQuantile(i / 4000);
    assert.ok(z > last);
    last = z;
  }
  // The seam at r = 5 is p = exp(-25).
  const seam = Math.exp(-25);
  assert.ok(normalQuantile(seam * 0.999999) < normalQuantile(seam * 1.000001));
});

test('the portable logarithm agrees with the library to the last digits', () => {
  for (const x of [2 ** -33, 1e-20, 0.1, Math.SQRT1_2, 1, Math.SQRT2, 3, 1e10]) {
    assert.ok(Math.abs(portableLog(x) - Math.log(x)) <= 4e-16 * Math.max(1, Math.abs(Math.log(x))));
  }
});
