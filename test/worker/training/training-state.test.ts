/** The memory of a run: sums, which go around the ring, and moments are those of the trained parameters alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../../../src/run/config/config.js';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';
import { allocateTrainingState } from '../../../src/worker/training/training-state.js';

const LAYOUT = parameterLayout(modelSpec('vit-micro/8', { imageSize: 32, classes: 5 }));
const HEAD = 5 * 64 + 5;

for (const [freeze, trained] of [
  [null, LAYOUT.length],
  ['backbone', HEAD],
  ['4', HEAD + 2 * 64],
] as const) {
  test(`with ${freeze ?? 'nothing'} frozen, sums and moments have ${trained} elements`, () => {
    const flags = { data: 'd', model: 'vit-micro/8', imageSize: 32, emaDecay: 0.9, freeze };
    const { weights, moments, shared } = allocateTrainingState(resolveConfig({ flags }), LAYOUT);
    assert.deepEqual([shared.mine.byteLength, shared.reduced.byteLength], [4 * trained, 4 * trained]);
    assert.deepEqual([moments.exp_avg?.length, moments.exp_avg_sq?.length], [trained, trained]);
    // Evaluation takes all of these.
    assert.deepEqual([weights.length, moments.ema?.length], [LAYOUT.length, LAYOUT.length]);
  });
}
