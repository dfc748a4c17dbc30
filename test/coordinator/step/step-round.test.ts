/** One round of a step: its ring, who holds the state, who computes what. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { microBatches } from '../../../src/coordinator/step/sampling.js';
import { nextRound, statePeers } from '../../../src/coordinator/step/step-round.js';
import { workToDo } from '../../../src/worker/held-work.js';

const MICRO_BATCHES = microBatches(new Uint32Array(9), 1);

const member = (worker: number, more: object = {}) => ({
  worker,
  state: 5,
  leaving: false,
  holds: [],
  ...more,
});
const inputs = {
  step: 5,
  exponents: Int32Array.of(1),
  microBatches: MICRO_BATCHES,
  speeds: new Map<number, number>(),
  previous: null,
};

test('a whole ring goes on in its generation; any change is a new one', () => {
  const last = { generation: 7, ring: [0, 1] };
  const same = nextRound({ ...inputs, last, members: [member(1), member(0)] });
  assert.deepEqual([same.generation, same.ring], [7, [0, 1]]);
  assert.equal(nextRound({ ...inputs, last, members: [member(0), member(2)] }).generation, 8);
  assert.equal(
    nextRound({ ...inputs, last: { ...last, ring: null }, members: [member(0), member(1)] }).generation,
    8,
  );
  assert.equal(nextRound({ ...inputs, last, members: [member(0), member(1)], previous: same }).generation, 8);
});

test('a worker that wants to leave finishes its step and takes no part in the next one', () => {
  const last = { generation: 1, ring: null };
  const first = nextRound({ ...inputs, last, members: [member(0), member(1)] });
  const leaving = [member(0), member(1, { leaving: true })];
  assert.deepEqual(nextRound({ ...inputs, last, members: leaving, previous: first }).ring, [0, 1]);
  assert.deepEqual(nextRound({ ...inputs, last, members: leaving }).ring, [0]);
});

test('joiners are in the ring without work, and each is sent to another peer first', () => {
  const last = { generation: 1, ring: null };
  const members = [member(0), member(1), member(2, { state: null }), member(3, { state: 4 })];
  const round = nextRound({ ...inputs, last, members });
  assert.deepEqual(
    [round.ring, round.holders],
    [
      [0, 1, 2, 3],
      [0, 1],
    ],
  );
  assert.deepEqual([round.assignment.get(2), round.assignment.get(3)], [[], []]);
  assert.deepEqual(
    [statePeers(round, 2), statePeers(round, 3)],
    [
      [0, 1],
      [1, 0],
    ],
  );
  assert.deepEqual(statePeers(round, 0), []);
});

test('what survivors of a restart hold is planned where it is', () => {
  const last = { generation: 1, ring: null };
  const members = [member(0, { holds: [8, 7] }), member(1, { holds: [0] })];
  const round = nextRound({ ...inputs, last, members });
  const indices = (worker: number) => round.assignment.get(worker)!.map(({ index }) => index);
  assert.ok([7, 8].every((index) => indices(0).includes(index)));
  assert.ok(indices(1).includes(0));
});

test('other exponents mean that all is computed again', () => {
  const last = { generation: 1, ring: null };
  const held = { step: 5, exponents: [1], microBatches: new Set([0, 1]) };
  const plan = (exponents: number[], ...list: number[]) => ({
    step: 5,
    exponents,
    microBatches: list.map((index) => ({ index, samples: [] })),
  });
  assert.deepEqual(workToDo(held, plan([1], 0, 1, 2)), {
    keep: true,
    compute: [{ index: 2, samples: [] }],
  });
  assert.equal(workToDo(held, plan([2], 0, 1)).keep, false);
  assert.equal(workToDo(held, plan([1], 0)).keep, false);
  assert.equal(workToDo(held, { ...plan([1], 0, 1), step: 6 }).keep, false);
  assert.equal(workToDo(null, plan([1], 0)).keep, false);
  const first = nextRound({ ...inputs, last, members: [member(0), member(1), member(2)] });
  const members = [member(0), member(2)];
  const other = nextRound({ ...inputs, last, members, previous: first, exponents: Int32Array.of(2) });
  assert.equal([...other.assignment.values()].flat().length, 9);
});

test('a worker that joins a step that is planned again holds nothing of it, and the others keep what they had', () => {
  const last = { generation: 1, ring: null };
  const first = nextRound({ ...inputs, last, members: [member(0), member(1)] });
  const again = nextRound({ ...inputs, last, members: [member(0), member(1), member(2)], previous: first });
  assert.deepEqual(again.ring, [0, 1, 2]);
  for (const worker of [0, 1]) {
    const kept = new Set(again.assignment.get(worker)!.map(({ index }) => index));
    assert.ok(first.assignment.get(worker)!.every(({ index }) => kept.has(index)));
  }
});
