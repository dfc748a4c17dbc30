import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  nextRollback,
  isWithoutProgress,
  type Rollback,
} from '../../../src/coordinator/recovery/rollback-limit.js';

/** Which of the times, given as [back to, had reached], is one too many. */
function ends(times: readonly (readonly [number, number])[]): readonly boolean[] {
  let gone: Rollback | null = null;
  return times.map(([step, reached]) => {
    gone = nextRollback(gone, step, reached);
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

test('a run that comes further, or back to a newer checkpoint, may roll back again', () => {
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
  const once = nextRollback(null, 10, 14);
  assert.deepEqual(nextRollback(once, 10, 12), { step: 10, reached: 14, times: 2 });
});
