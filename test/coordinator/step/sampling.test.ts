import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  epochOrder,
  microBatches,
  stepMicroBatches,
  epochStep,
  stepsPerEpoch,
} from '../../../src/coordinator/step/sampling.js';

test('an epoch visits every sample once', () => {
  for (const count of [1, 2, 17, 1000]) {
    const sorted = [...epochOrder(7, 3, count)].sort((a, b) => a - b);
    assert.deepEqual(
      sorted,
      Array.from({ length: count }, (_, i) => i),
    );
  }
});

test('the order is a function of seed and epoch alone', () => {
  assert.deepEqual(epochOrder(1, 2, 50), epochOrder(1, 2, 50));
  assert.notDeepEqual(epochOrder(1, 2, 50), epochOrder(1, 3, 50));
  assert.notDeepEqual(epochOrder(1, 2, 50), epochOrder(2, 2, 50));
});

test('the order of a seed never changes between versions', () => {
  assert.deepEqual([...epochOrder(0, 0, 10)], FIRST_ORDER);
});

/** Written down on the day the order was fixed; a change breaks every resumed run. */
const FIRST_ORDER = [2, 3, 8, 6, 9, 7, 0, 5, 1, 4];

test('the last batch of an epoch may be smaller and is a step of its own', () => {
  assert.equal(stepsPerEpoch(10, 4), 3);
  assert.equal(stepsPerEpoch(8, 4), 2);
  assert.equal(stepsPerEpoch(3, 4096), 1);
});

test('a step knows its epoch and whether it ends it', () => {
  assert.deepEqual(epochStep(0, 3), { epoch: 0, stepInEpoch: 0, lastOfEpoch: false });
  assert.deepEqual(epochStep(5, 3), { epoch: 1, stepInEpoch: 2, lastOfEpoch: true });
  assert.deepEqual(epochStep(2, 1), { epoch: 2, stepInEpoch: 0, lastOfEpoch: true });
});

test('micro-batches are numbered from 0 and only the last is smaller', () => {
  assert.deepEqual(microBatches([9, 8, 7, 6, 5], 2), [
    { index: 0, samples: [9, 8] },
    { index: 1, samples: [7, 6] },
    { index: 2, samples: [5] },
  ]);
  assert.deepEqual(microBatches([], 2), []);
});

test('the steps of an epoch together hold its order', () => {
  const order = epochOrder(3, 0, 23);
  const seen = [0, 1, 2].flatMap((step) => stepMicroBatches(order, step, 8, 4).flatMap((m) => m.samples));
  assert.deepEqual(seen, [...order]);
});
