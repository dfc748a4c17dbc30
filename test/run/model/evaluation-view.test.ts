/** How an image is brought to the model's side for evaluation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationView } from '../../../src/run/model/evaluation-view.js';

test('the paper resizes the shorter side and keeps the centre, in [-1, 1]', () => {
  assert.deepEqual(evaluationView('paper', 224), {
    resize: 'shorter-side',
    resizeTo: 256,
    centerCrop: 224,
    mean: 0.5,
    std: 0.5,
  });
});

test('the tutorial resizes both sides, in [0, 1]', () => {
  assert.deepEqual(evaluationView('tutorial', 144), {
    resize: 'both-sides',
    resizeTo: 144,
    centerCrop: 144,
    mean: 0,
    std: 1,
  });
});
