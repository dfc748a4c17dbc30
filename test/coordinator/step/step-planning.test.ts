import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { microBatches } from '../../../src/coordinator/step/sampling.js';
import { assignFreshly, planAssignment } from '../../../src/coordinator/step/step-planning.js';

const speed = fc.double({ min: 0.01, max: 100, noNaN: true });
const planArbitrary = fc.record({
  count: fc.nat({ max: 200 }),
  workers: fc.uniqueArray(fc.nat({ max: 50 }), { minLength: 1, maxLength: 12 }),
  speeds: fc.array(speed, { minLength: 12, maxLength: 12 }),
});

const all = (count: number) => microBatches(new Uint32Array(count), 1);

test('every micro-batch is handed to exactly one worker, in order, whatever the speeds', () => {
  fc.assert(
    fc.property(planArbitrary, ({ count, workers, speeds }) => {
      const known = new Map(workers.map((worker, i) => [worker, speeds[i]!]));
      const assignment = assignFreshly(all(count), workers, known);
      assert.deepEqual([...assignment.keys()], workers);
      assert.deepEqual([...assignment.values()].flat(), all(count));
    }),
  );
});

test('with equal speeds shares differ by one micro-batch at most', () => {
  fc.assert(
    fc.property(planArbitrary, ({ count, workers }) => {
      const shares = [...assignFreshly(all(count), workers).values()].map((s) => s.length);
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    }),
  );
});

test('every worker gets at least one micro-batch where there are enough, and no plan ends sooner', () => {
  fc.assert(
    fc.property(planArbitrary, ({ count, workers, speeds }) => {
      fc.pre(count >= workers.length);
      const known = new Map(workers.map((worker, i) => [worker, speeds[i]!]));
      const shares = workers.map((w) => assignFreshly(all(count), workers, known).get(w)!.length);
      assert.ok(shares.every((share) => share >= 1));
      // Moving one micro-batch from the last to finish to any other does not make the step shorter.
      const times = (list: readonly number[]) => list.map((n, i) => n / speeds[i]!);
      const end = (list: readonly number[]) => Math.max(...times(list));
      const last = times(shares).indexOf(end(shares));
      if (shares[last] === 1) return;
      for (let to = 0; to < shares.length; to++) {
        const moved = shares.map((n, i) => n + (i === to ? 1 : 0) - (i === last ? 1 : 0));
        if (to !== last) assert.ok(end(moved) >= end(shares) * (1 - 1e-12));
      }
    }),
  );
});

test('a worker twice as fast gets twice as much', () => {
  const speeds = new Map([
    [0, 1],
    [1, 2],
  ]);
  const assignment = assignFreshly(all(9), [0, 1], speeds);
  assert.deepEqual([assignment.get(0)!.length, assignment.get(1)!.length], [3, 6]);
});

test('survivors keep what they have, and only the rest is handed out', () => {
  fc.assert(
    fc.property(planArbitrary, fc.infiniteStream(fc.nat()), ({ count, workers, speeds }, random) => {
      const draw = (): number => random.next().value as number;
      const before = assignFreshly(all(count), workers);
      const survivors = workers.filter(() => draw() % 3 > 0);
      fc.pre(survivors.length > 0);
      const keeps = (worker: number) => before.get(worker)!.map(({ index }) => index);
      const participants = survivors.map((worker) => ({ worker, hasState: true, keeps: keeps(worker) }));
      const joiner = { worker: 99, hasState: false, keeps: [] };
      const known = new Map(workers.map((worker, i) => [worker, speeds[i]!]));
      const after = planAssignment(all(count), [...participants, joiner], known);
      for (const worker of survivors) {
        const now = new Set(after.get(worker)!.map(({ index }) => index));
        assert.ok(keeps(worker).every((index) => now.has(index)));
      }
      assert.deepEqual(after.get(99), []);
      const indices = [...after.values()].flat().map(({ index }) => index);
      assert.deepEqual(
        indices.sort((a, b) => a - b),
        all(count).map(({ index }) => index),
      );
    }),
  );
});

test('if two workers claim a micro-batch, the later one loses its whole sum; unknown micro-batches do not count', () => {
  const participants = [
    { worker: 0, hasState: true, keeps: [0, 1] },
    { worker: 1, hasState: true, keeps: [1, 2] },
    { worker: 2, hasState: true, keeps: [7] },
  ];
  const assignment = planAssignment(all(4), participants);
  assert.deepEqual(
    [...assignment.values()].map((list) => list.map(({ index }) => index)),
    [[0, 1], [2], [3]],
  );
});

test('if no worker has the state, none computes', () => {
  const assignment = planAssignment(all(3), [{ worker: 0, hasState: false, keeps: [] }]);
  assert.deepEqual([...assignment], [[0, []]]);
});
