/** Where parameters lie on a GPU: aligned, and copied in few pieces. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyRanges, deviceLayout } from '../../../src/run/model/device-layout.js';
import type { ParameterLayout } from '../../../src/run/model/parameter-layout.js';

/** Tensors of these lengths, one after the other without gaps, as on the host. */
function hostLayout(lengths: readonly number[]): ParameterLayout {
  let offset = 0;
  const slots = lengths.map((length, i) => {
    const slot = { name: `tensor ${i}`, shape: [length], offset, length };
    offset += length;
    return slot;
  });
  return { slots, length: offset } as unknown as ParameterLayout;
}

test('every tensor starts at a multiple of 128 elements', () => {
  assert.deepEqual(deviceLayout(hostLayout([128, 1, 256, 129, 5])), {
    offsets: [0, 128, 256, 512, 768],
    length: 896,
  });
  assert.deepEqual(deviceLayout(hostLayout([])), { offsets: [], length: 0 });
});

test('tensors without a gap between them are copied in one piece, a gap ends it', () => {
  assert.deepEqual(copyRanges(hostLayout([128, 256, 1, 128, 5])), [
    { offset: 0, hostOffset: 0, length: 385 },
    { offset: 512, hostOffset: 385, length: 133 },
  ]);
});
