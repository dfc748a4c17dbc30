import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { microBatches } from '../../src/coordinator/sampling.js';
import { assignEvenly } from '../../src/coordinator/step-planning.js';

const planArbitrary = fc.record({
  count: fc.nat({ max: 200 }),
  workers: fc.uniqueArray(fc.nat({ max: 50 }), { minLength: 1, maxLength: 12 }),
});

test('every micro-batch is handed to exactly one worker, in order', () => {
  fc.assert(
    fc.property(planArbitrary, ({ count, workers }) => {
      const all = microBatches(new Uint32Array(count), 1);
      const assignment = assignEvenly(all, workers);
      assert.deepEqual([...assignment.keys()], workers);
      assert.deepEqual([...assignment.values()].flat(), all);
    }),
  );
});

test('shares differ by one micro-batch at most', () => {
  fc.assert(
    fc.property(planArbitrary, ({ count, workers }) => {
      const shares = [...assignEvenly(microBatches(new Uint32Array(count), 1), workers).values()].map(
        (s) => s.length,
      );
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    }),
  );
});
