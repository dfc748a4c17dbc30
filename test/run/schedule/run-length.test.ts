import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  endsOf,
  isProlongationOf,
  lengthAt,
  parseProlongations,
  totalSteps,
  withProlongation,
} from '../../../src/run/schedule/run-length.js';

const run = (epochs: number, steps: number | null = null, prolonged: string | null = null) => ({
  epochs,
  steps,
  prolonged,
});

test('steps, where given, replace epochs as the length of the run', () => {
  assert.equal(totalSteps(run(3), 7), 21);
  assert.equal(totalSteps(run(3, 50), 7), 50);
});

test('a prolonged run has its new length from the step of the prolongation on', () => {
  const longer = run(3, null, '21:5,30:9');
  assert.deepEqual(
    [0, 20, 21, 29, 30, 62].map((step) => lengthAt(longer, 7, step)),
    [21, 21, 35, 35, 63, 63],
  );
  assert.equal(totalSteps(longer, 7), 63);
});

test('a run was over where it was prolonged after its end, and nowhere else before its end', () => {
  assert.deepEqual([...endsOf(run(3), 7)], [21]);
  assert.deepEqual([...endsOf(run(3, null, '21:5'), 7)], [21, 35]);
  assert.deepEqual([...endsOf(run(3, null, '12:5'), 7)], [35]);
  assert.deepEqual([...endsOf(run(3, 4, '4:5,35:6'), 7)], [4, 35, 42]);
});

for (const text of ['', '5', '5:', ':5', '5:6:7', 'a:b', '-1:5', '5:6,', '5:6,4:7', '5:6,7:6', '5:6, 7:8']) {
  test(`${JSON.stringify(text)} is no list of prolongations`, () => {
    assert.equal(parseProlongations(text), null);
  });
}

test('a prolongation is added at the end of the list', () => {
  assert.equal(withProlongation(null, { fromStep: 21, epochs: 5 }), '21:5');
  assert.equal(withProlongation('21:5', { fromStep: 30, epochs: 9 }), '21:5,30:9');
});

for (const [earlier, later, step, expected] of [
  [null, '21:5', 21, true],
  [null, null, 21, true],
  ['21:5', '21:5,30:9', 30, true],
  ['21:5', '21:5,30:9', 31, false],
  ['21:5', '20:5,30:9', 30, false],
  ['21:5', '21:6,30:9', 30, false],
  ['21:5', null, 30, false],
  ['x', '21:5', 30, false],
  ['21:5', 'x', 30, false],
] as const) {
  test(`${later} ${expected ? 'is' : 'is not'} ${earlier} prolonged at step ${step} or later`, () => {
    assert.equal(isProlongationOf(earlier, later, step), expected);
  });
}

test('a text that is not a list of prolongations prolongs nothing', () => {
  assert.equal(totalSteps(run(3, null, 'x'), 7), 21);
  assert.deepEqual([...endsOf(run(3, null, 'x'), 7)], [21]);
});
