import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runStateSchema, storedRunState } from '../../../src/run/journal/run-state-schema.js';
import {
  afterEpoch,
  initialRunState,
  withSavedBest,
  type RunState,
} from '../../../src/run/journal/run-state.js';

const TOTALS = { lossSum: 4, correct: 2, samples: 4 };
const STOPPING = { mode: 'min', minDelta: 0, patience: 0, percentage: false, metric: 'test-loss' } as const;

/** The state of an epoch in which `correct` of four images were right. */
function concluded(state: RunState, correct: number): RunState {
  const evaluated = { lossSum: 4, correct, samples: 4 };
  return afterEpoch(state, { epoch: 0, train: TOTALS, evaluated }, STOPPING).state;
}

test('a better evaluation is a candidate until its state is in a checkpoint, and then the best', () => {
  const first = concluded({ ...initialRunState(1), step: 3 }, 2);
  assert.deepEqual([first.best, first.candidate?.step], [null, 3]);
  const { best, candidate } = withSavedBest(first, 3);
  assert.deepEqual([best, candidate], [first.candidate, null]);
});

test('a candidate without a checkpoint leaves the best as it was', () => {
  const saved = withSavedBest(concluded({ ...initialRunState(1), step: 3 }, 2), 3);
  const better = concluded({ ...saved, step: 6 }, 3);
  assert.equal(better.candidate?.step, 6);
  const left = withSavedBest(better, 3);
  assert.deepEqual([left.best?.step, left.candidate], [3, null]);
  assert.equal(concluded({ ...saved, step: 6 }, 1).candidate, null);
});

test('a candidate is read back from a file, and a file of an older version has none', () => {
  const state = concluded({ ...initialRunState(1), step: 3 }, 2);
  const stored = storedRunState(state);
  assert.deepEqual(runStateSchema.parse(stored), state);
  const { candidate, ...older } = stored;
  assert.equal(candidate?.step, 3);
  assert.equal(runStateSchema.parse(older).candidate, null);
});
