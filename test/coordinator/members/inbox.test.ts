import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inbox } from '../../../src/coordinator/members/inbox.js';

const updateDone = (step: number) => {
  return { name: 'updateDone', body: { step, gradientNorm: 1, updateMs: 0, commitWaitMs: 0 } } as const;
};

test('the newest message of each kind counts, where it matches', () => {
  const inbox = new Inbox();
  inbox.keep(0, updateDone(3));
  inbox.keep(0, updateDone(4));
  inbox.keep(1, updateDone(3));
  inbox.keep(1, { name: 'goodbye', body: {} });
  const of = (step: number) => [...inbox.matching('updateDone', (body) => body.step === step).keys()];
  assert.deepEqual([of(3), of(4), of(5)], [[1], [0], []]);
  assert.equal(inbox.matching('stepDone', () => true).size, 0);
});

test('of a worker that is gone nothing is kept', () => {
  const inbox = new Inbox();
  for (const worker of [0, 1]) {
    inbox.keep(worker, updateDone(3));
    inbox.keep(worker, { name: 'goodbye', body: {} });
  }
  inbox.forget(0);
  inbox.forget(7);
  assert.deepEqual([...inbox.matching('updateDone', () => true).keys()], [1]);
  assert.deepEqual([...inbox.matching('goodbye', () => true).keys()], [1]);
});
