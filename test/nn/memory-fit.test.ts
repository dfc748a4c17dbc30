import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOutOfMemory, largestMicroBatch, withinDevice } from '../../src/nn/engine/memory-fit.js';

test('the largest micro-batch follows from the peaks of one image and of two', () => {
  assert.equal(largestMicroBatch(1000, 300, 400), 8);
  assert.equal(largestMicroBatch(999, 300, 400), 7);
  assert.equal(largestMicroBatch(300, 300, 400), 1);
  assert.equal(largestMicroBatch(299, 300, 400), 0);
});

test('what did not fit while it was measured counts as endless', () => {
  assert.equal(largestMicroBatch(1000, Infinity, Infinity), 0);
  assert.equal(largestMicroBatch(1000, 300, Infinity), 1);
});

test('peaks that do not grow do not divide by zero', () => {
  assert.ok(Number.isFinite(largestMicroBatch(1000, 300, 300)));
});

test('if memory for weights and moments cannot be allocated, the error names the device', () => {
  const dry = (): never => {
    throw new RangeError('out of memory: 5 bytes asked for');
  };
  assert.throws(() => withinDevice('native sm90', dry), {
    code: 'DEVICE_TOO_SMALL',
    message: /sm90.*5 bytes/,
  });
  const other = (): never => {
    throw new TypeError('buffer');
  };
  assert.throws(() => withinDevice('native sm90', other), TypeError);
  assert.equal(
    withinDevice('native sm90', () => 3),
    3,
  );
});

test('only the allocator running dry counts as out of memory', () => {
  assert.ok(isOutOfMemory(new RangeError('out of memory: 5 bytes asked for, 7 in use')));
  assert.ok(!isOutOfMemory(new RangeError('Invalid array length')));
  assert.ok(!isOutOfMemory(new Error('out of memory')));
});
