/** Losses as integers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossOfUnits, lossUnits } from '../../src/numbers/exact/loss-units.js';

test('a loss is rounded to units of 2^-24, and multiples of them come back as they were', () => {
  assert.equal(lossUnits(2.5), 2.5 * 2 ** 24);
  assert.equal(lossOfUnits(lossUnits(2.5)), 2.5);
  assert.equal(lossUnits(2 ** -25), 1);
  assert.equal(lossUnits(2 ** -26), 0);
});

test('a loss that is not finite is not a safe integer', () => {
  for (const loss of [NaN, Infinity, 1e300]) assert.equal(Number.isSafeInteger(lossUnits(loss)), false);
});
