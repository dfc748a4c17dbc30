import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from '../../../src/coordinator/watch/pace.js';
import { report } from '../step/step-report.js';

/** Reports of workers 0, 1, ... that needed `ms` for a micro-batch. */
const reports = (...ms: number[]) =>
  ms.map((computeMs, worker) => report(worker, {}, { computeMs, microBatches: 1 }));

test('a worker that becomes slow is reported once, and again after it was fast', () => {
  const pace = new Pace(true);
  const learn = (...ms: number[]) => [...pace.learn(reports(...ms), [0, 1, 2]).keys()];
  assert.deepEqual(learn(100, 100, 400), [2]);
  assert.deepEqual(learn(100, 100, 400), []);
  assert.equal(Math.round(pace.slow.get(2)!), 4);
  for (let i = 0; i < 20; i++) learn(100, 100, 100);
  assert.equal(pace.slow.size, 0);
  const told = Array.from({ length: 20 }, () => learn(100, 100, 400)).flat();
  assert.deepEqual(told, [2]);
});

test('work is planned by speed only where that is wanted', () => {
  for (const bySpeed of [true, false]) {
    const pace = new Pace(bySpeed);
    pace.learn(reports(100, 200), [0, 1]);
    assert.deepEqual(
      [...pace.measured],
      [
        [0, 10],
        [1, 5],
      ],
    );
    assert.deepEqual([...pace.planned], bySpeed ? [...pace.measured] : []);
  }
});
