import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planningSpeeds, stragglers, updateSpeeds } from '../../../src/coordinator/step/speeds.js';

const speeds = (...rates: number[]) => new Map(rates.map((rate, worker) => [worker, rate]));

test('a speed is micro-batches a second, and follows a change within a few steps', () => {
  let now = updateSpeeds(new Map(), [{ worker: 0, microBatches: 4, ms: 2000 }]);
  assert.equal(now.get(0), 2);
  now = updateSpeeds(now, [{ worker: 0, microBatches: 4, ms: 1000 }]);
  assert.ok(Math.abs(now.get(0)! - 2.6) < 1e-12);
  for (let i = 0; i < 10; i++) now = updateSpeeds(now, [{ worker: 0, microBatches: 4, ms: 1000 }]);
  assert.ok(Math.abs(now.get(0)! - 4) < 0.1);
});

test('a report without work or with times that cannot be changes nothing', () => {
  const before = speeds(3);
  for (const [microBatches, ms] of [
    [0, 100],
    [4, 0],
    [4, NaN],
    [4, Infinity],
    [NaN, 5],
    [4, -1],
  ] as const) {
    assert.deepEqual(updateSpeeds(before, [{ worker: 0, microBatches, ms }]), before);
  }
});

test('speeds stay between the slowest and the fastest that were measured', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 30 }),
      (times) => {
        let now: ReadonlyMap<number, number> = new Map();
        for (const ms of times) now = updateSpeeds(now, [{ worker: 0, microBatches: 1, ms }]);
        const rates = times.map((ms) => 1000 / ms);
        assert.ok(now.get(0)! >= Math.min(...rates) * (1 - 1e-9));
        assert.ok(now.get(0)! <= Math.max(...rates) * (1 + 1e-9));
      },
    ),
  );
});

test('plans change for real differences only, and for workers that come', () => {
  const planned = speeds(10, 10);
  assert.equal(planningSpeeds(planned, speeds(10.5, 9.5), [0, 1]), planned);
  assert.deepEqual(planningSpeeds(planned, speeds(10, 8), [0, 1]), speeds(10, 8));
  assert.deepEqual(planningSpeeds(planned, speeds(10, 10, 7), [0, 1, 2]), speeds(10, 10, 7));
  // One that is gone and unknown ones are no reason.
  assert.equal(planningSpeeds(planned, speeds(10, 10, 7), [0]), planned);
  assert.equal(planningSpeeds(planned, speeds(10, 10), [0, 1, 5]), planned);
});

test('a straggler needs half as long again as the median', () => {
  assert.deepEqual([...stragglers(speeds(10, 10, 10, 5), [0, 1, 2, 3])], [[3, 2]]);
  assert.equal(stragglers(speeds(10, 10, 8), [0, 1, 2]).size, 0);
  assert.equal(stragglers(speeds(10), [0]).size, 0);
  assert.equal(stragglers(speeds(10, 1), [0]).size, 0);
});
