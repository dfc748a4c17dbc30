import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placeFor, wishOf } from '../../src/coordinator/place.js';

const places = (...taken: readonly number[]) => taken.map((place) => ({ place }));

test('a worker gets the lowest place that is free', () => {
  assert.equal(placeFor([], null), 0);
  assert.equal(placeFor(places(0, 1), null), 2);
  assert.equal(placeFor(places(2, 0), null), 1);
});

test('a worker gets the place it had or was started for, unless another has it', () => {
  assert.equal(placeFor([], 3), 3);
  assert.equal(placeFor(places(0, 1), 0), 2);
  assert.equal(placeFor(places(1), 0), 0);
});

test('no wish is a wish for no place', () => {
  assert.equal(wishOf(0), null);
  assert.equal(wishOf(1), 0);
});
