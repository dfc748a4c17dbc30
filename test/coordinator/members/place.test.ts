import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrivalText, placeFor, wishOf } from '../../../src/coordinator/members/place.js';

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

test('a worker whose number differs from its place is named with both', () => {
  const one = { host: 'node1', pid: 7 };
  assert.equal(arrivalText({ ...one, worker: 0, place: 0 }), 'worker 0 joined from node1 (pid 7)');
  assert.equal(
    arrivalText({ ...one, worker: 3, place: 1 }),
    'worker 3 joined from node1 (pid 7, in metrics worker 1)',
  );
});
