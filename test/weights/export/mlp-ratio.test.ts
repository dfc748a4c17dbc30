/** The ratio that is exported gives the MLP's width again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mlpRatio } from '../../../src/weights/export/mlp-ratio.js';

test('libraries that cut the product off get the very width, and usual ratios are whole', () => {
  for (let hidden = 8; hidden <= 512; hidden += 8) {
    for (let mlp = 8; mlp <= 4 * hidden; mlp += 8) {
      assert.equal(Math.floor(hidden * mlpRatio({ hidden, mlp })), mlp, `${hidden} ${mlp}`);
    }
    assert.equal(mlpRatio({ hidden, mlp: 4 * hidden }), 4);
  }
});
