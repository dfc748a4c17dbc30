import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coded, revivedError, plainError } from '../../src/errors/errors.js';
import { failsWithCoordinator } from '../../src/worker/joining.js';

test('what was called off or not answered is put down to a coordinator that went away', () => {
  const calledOff = coded('RING_ABORTED', {
    step: 1,
    generation: 2,
    reason: 'the coordinator said whoAreYou',
  });
  assert.equal(failsWithCoordinator(calledOff), true);
  const stalled = coded('STATE_TRANSFER_FAILED', { step: 1, problem: 'no more of weights within 60000 ms' });
  assert.equal(failsWithCoordinator(revivedError(plainError(stalled))), true);
});

test("a worker's own errors are not put down to the coordinator", () => {
  const own = [
    coded('DIGEST_MISMATCH', { worker: 0, step: 1 }),
    coded('LOSS_NOT_FINITE', { value: NaN, step: 1, microBatch: 0 }),
    new RangeError('out of memory'),
    'a text',
  ];
  for (const error of own) assert.equal(failsWithCoordinator(error), false, String(error));
});
