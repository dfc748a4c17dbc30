/** How an image is brought to the model's side for evaluation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationView } from '../../../src/run/model/evaluation-view.js';
import { preprocessing } from './preprocessing-options.js';

test('the paper resizes the shorter side and keeps the centre, in [-1, 1]', () => {
  assert.deepEqual(evaluationView(preprocessing('paper'), 224), {
    resize: 'shorter-side',
    resizeTo: 256,
    centerCrop: 224,
    interpolation: 'bilinear',
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  });
});

test('the tutorial resizes both sides, in [0, 1]', () => {
  assert.deepEqual(evaluationView(preprocessing('tutorial'), 144), {
    resize: 'both-sides',
    resizeTo: 144,
    centerCrop: 144,
    interpolation: 'bilinear',
    mean: [0, 0, 0],
    std: [1, 1, 1],
  });
});

test("a crop fraction gives timm's size: floor(side / fraction)", () => {
  for (const [cropFraction, side, expected] of [
    [0.9, 224, 248],
    [0.875, 224, 256],
    [0.875, 32, 36],
    [0.95, 384, 404],
    [1, 384, 384],
    [2, 33, 16],
  ] as const) {
    for (const cropMode of ['center', 'squash'] as const) {
      const view = evaluationView(preprocessing('paper', { cropFraction, cropMode }), side);
      assert.deepEqual([view.resizeTo, view.centerCrop], [expected, side], `${side} / ${cropFraction}`);
    }
  }
});

test('the crop mode holds in place of the transform\u2019s, and squashes to the side itself', () => {
  const squashed = evaluationView(preprocessing('paper', { cropMode: 'squash' }), 64);
  assert.deepEqual([squashed.resize, squashed.resizeTo], ['both-sides', 64]);
  const centred = evaluationView(preprocessing('tutorial', { cropMode: 'center' }), 224);
  assert.deepEqual([centred.resize, centred.resizeTo], ['shorter-side', 256]);
});

test('mean and standard deviation hold for each channel, and the transform\u2019s where one is missing', () => {
  const { mean, std } = evaluationView(preprocessing('paper', { mean: '0.1,0.2,0.3' }), 32);
  assert.deepEqual(
    [mean, std],
    [
      [0.1, 0.2, 0.3],
      [0.5, 0.5, 0.5],
    ],
  );
  assert.deepEqual(evaluationView(preprocessing('tutorial', { std: '2' }), 32).std, [2, 2, 2]);
});

test('a mean or deviation that is no number is none in the view either', () => {
  const { mean, std } = evaluationView(preprocessing('paper', { mean: 'grey', std: '1,2' }), 32);
  assert.deepEqual([mean, std], [Array(3).fill(NaN), Array(3).fill(NaN)]);
});
