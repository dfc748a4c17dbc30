/** Early stopping as sequences of values and the evaluation at which the run stops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  INITIAL_EARLY_STOPPING,
  updateEarlyStopping,
  type EarlyStoppingOptions,
  type EarlyStoppingState,
} from '../../../src/run/schedule/early-stopping.js';

const MIN: EarlyStoppingOptions = { mode: 'min', minDelta: 0, percentage: false, patience: 2 };
const MAX: EarlyStoppingOptions = { ...MIN, mode: 'max' };

/** Feeds `values` until the rule stops; gives the index of the last value and the state after it. */
function feed(values: readonly number[], options: EarlyStoppingOptions) {
  let state: EarlyStoppingState = INITIAL_EARLY_STOPPING;
  const improved: number[] = [];
  for (const [index, value] of values.entries()) {
    // Through JSON, as a checkpoint does between any two evaluations.
    const stored = JSON.parse(JSON.stringify(state)) as EarlyStoppingState;
    const verdict = updateEarlyStopping(stored, value, options);
    state = verdict.state;
    if (verdict.improved) improved.push(index);
    if (verdict.stop) return { stoppedAt: index, state, improved, reason: verdict.reason };
  }
  return { stoppedAt: null, state, improved, reason: '' };
}

const CASES: readonly (readonly [
  name: string,
  values: readonly number[],
  options: EarlyStoppingOptions,
  stoppedAt: number | null,
  best: number | null,
])[] = [
  ['two bad evaluations in a row stop', [1, 2, 3], MIN, 2, 1],
  ['an improvement in between starts the count again', [1, 2, 0.5, 2, 0.4], MIN, null, 0.4],
  ['an equal value is no improvement', [1, 1, 1], MIN, 2, 1],
  ['max mode turns the direction', [0.5, 0.4, 0.3], MAX, 2, 0.5],
  ['max mode goes on while the value rises', [0.1, 0.2, 0.3], MAX, null, 0.3],
  ['a change within min-delta is no improvement', [1, 0.95, 0.91], { ...MIN, minDelta: 0.1 }, 2, 1],
  ['small changes add up against the best', [1, 0.95, 0.89], { ...MIN, minDelta: 0.1 }, null, 0.89],
  ['min-delta holds in max mode', [1, 1.1, 1.05], { ...MAX, minDelta: 0.1 }, 2, 1],
  [
    'a percentage is of the best value',
    [200, 191, 189],
    { ...MIN, minDelta: 5, percentage: true },
    null,
    189,
  ],
  ['a percentage in max mode', [200, 209, 210], { ...MAX, minDelta: 5, percentage: true }, 2, 200],
  [
    'a percentage of a negative best keeps its direction',
    [-200, -205, -211],
    { ...MIN, minDelta: 5, percentage: true },
    null,
    -211,
  ],
  ['NaN stops at once', [1, NaN], MIN, 1, 1],
  ['NaN as the first value stops', [NaN], MIN, 0, null],
  ['infinity stops as NaN does', [1, Infinity], MIN, 1, 1],
  ['patience 1 stops at the first bad evaluation', [1, 2], { ...MIN, patience: 1 }, 1, 1],
  ['patience 0 never stops and tracks the best', [3, 4, NaN, 5, 1, 6], { ...MIN, patience: 0 }, null, 1],
];

for (const [name, values, options, stoppedAt, best] of CASES) {
  test(name, () => {
    const result = feed(values, options);
    assert.equal(result.stoppedAt, stoppedAt);
    assert.equal(result.state.best, best);
  });
}

test('improved marks exactly the values that became the best', () => {
  assert.deepEqual(feed([5, 6, 4, 4, 3], { ...MIN, patience: 0 }).improved, [0, 2, 4]);
});

test('the reason names the value, the best and the count', () => {
  assert.equal(feed([1, 2, 3], MIN).reason, 'no improvement on 1 in 2 evaluations, the last gave 3');
  assert.equal(
    feed([0.47333333333333333, 0.49], { ...MIN, patience: 1 }).reason,
    'no improvement on 0.473333 in 1 evaluation, the last gave 0.49',
  );
  assert.equal(feed([1, NaN], MIN).reason, 'the value is NaN');
  const first = updateEarlyStopping(INITIAL_EARLY_STOPPING, 2, MIN);
  assert.equal(first.reason, '2 is the first value');
  assert.equal(updateEarlyStopping(first.state, 1, MIN).reason, '1 improves on 2');
});

test('the state given is never changed', () => {
  const state = Object.freeze({ best: 1, badEvaluations: 1 });
  updateEarlyStopping(state, 5, MIN);
  assert.deepEqual(state, { best: 1, badEvaluations: 1 });
});
