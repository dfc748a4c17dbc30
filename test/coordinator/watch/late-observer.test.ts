import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LateObserver } from '../../../src/coordinator/watch/late-observer.js';
import { allOf } from '../../../src/coordinator/watch/observer.js';

const joined = (worker: number) => ({ kind: 'joined', worker, text: '' }) as const;

test('an observer that begins late gets the earlier events once and in order', () => {
  const late = new LateObserver();
  const seen: (number | undefined)[] = [];
  late.onClusterEvent(joined(0));
  late.onClusterEvent(joined(1));
  late.begin(allOf([{ onClusterEvent: ({ worker }) => seen.push(worker) }]));
  late.onClusterEvent(joined(2));
  assert.deepEqual(seen, [0, 1, 2]);
});

test('events of a running run are passed on, and dropped before an observer is there', () => {
  const late = new LateObserver();
  const update = { step: 3, gradientNorm: 1, updateMs: 1, commitWaitMs: 1 };
  const checkpoint = { step: 3, path: '', ms: 1, weightDigest: '' };
  const seen: unknown[] = [];
  late.onUpdate(0, update);
  late.begin(
    allOf([
      {
        onUpdate: (worker, { step }) => seen.push(worker, step),
        onCheckpoint: ({ step }) => seen.push(step),
      },
    ]),
  );
  late.onUpdate(1, update);
  late.onCheckpoint(checkpoint);
  assert.deepEqual(seen, [1, 3, 3]);
});
