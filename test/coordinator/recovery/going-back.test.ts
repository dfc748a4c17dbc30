import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goneBack, isWithoutProgress, type GoneBack } from '../../../src/coordinator/recovery/going-back.js';

/** Which of the times, given as [back to, had reached], is one too many. */
function ends(times: readonly (readonly [number, number])[]): readonly boolean[] {
  let gone: GoneBack | null = null;
  return times.map(([step, reached]) => {
    gone = goneBack(gone, step, reached);
    return isWithoutProgress(gone);
  });
}

test('the third time at the same step without having come further is the last', () => {
  assert.deepEqual(
    ends([
      [10, 14],
      [10, 14],
      [10, 13],
    ]),
    [false, false, true],
  );
});

test('whoever comes further, or back to a newer checkpoint, may go back again', () => {
  assert.deepEqual(
    ends([
      [10, 14],
      [10, 14],
      [10, 15],
      [10, 15],
      [12, 15],
      [12, 12],
      [12, 15],
    ]),
    [false, false, false, false, false, false, true],
  );
});

test('it says how often and how far', () => {
  const once = goneBack(null, 10, 14);
  assert.deepEqual(goneBack(once, 10, 12), { step: 10, reached: 14, times: 2 });
});
