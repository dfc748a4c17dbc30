/** What is frozen comes first in the layout, and what is trained lies behind it in one piece. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';
import { freezeProblem, frozenParts, trainedLayout } from '../../../src/run/model/trained-parameters.js';

const options = { imageSize: 32, classes: 4 };

for (const [freeze, first] of [
  ['embeddings', 'blocks.0.norm1.weight'],
  ['1', 'blocks.1.norm1.weight'],
  ['3', 'blocks.3.norm1.weight'],
  ['4', 'norm.weight'],
  ['backbone', 'head.weight'],
] as const) {
  test(`with ${freeze} frozen, training begins at ${first}`, () => {
    const layout = parameterLayout(modelSpec('micro/8', options));
    const trained = trainedLayout(layout, freeze);
    const start = layout.length - trained.length;
    const same = layout.slots.slice(-trained.slots.length);
    assert.equal(trained.slots[0]?.name, first);
    assert.equal(trained.slots[0].offset, 0);
    for (const [i, slot] of trained.slots.entries()) {
      assert.deepEqual({ ...slot, offset: slot.offset + start }, same[i]);
    }
  });
}

test('with the backbone frozen, pre-logits and both heads are trained', () => {
  const firstOf = (features: object) =>
    trainedLayout(parameterLayout(modelSpec('micro/8', { ...options, ...features })), 'backbone').slots.map(
      ({ name }) => name,
    );
  assert.deepEqual(firstOf({ preLogits: 8 }).slice(0, 1), ['pre_logits.fc.weight']);
  assert.deepEqual(firstOf({ pooling: 'average' }), ['head.weight', 'head.bias']);
  assert.deepEqual(firstOf({ distillation: true }).slice(2), ['head_dist.weight', 'head_dist.bias']);
});

test('nothing frozen leaves the layout as it is', () => {
  const layout = parameterLayout(modelSpec('micro/8', options));
  assert.equal(trainedLayout(layout, null), layout);
  assert.deepEqual(frozenParts(null, 4), { embedding: false, blocks: 0, norm: false });
});

test('other texts, and more blocks than there are, cannot be frozen', () => {
  for (const good of [null, 'embeddings', 'backbone', '1', '4']) assert.equal(freezeProblem(good, 4), null);
  assert.equal(freezeProblem('5', 4), 'the model has 4 blocks');
  for (const bad of ['0', '-1', '1.5', 'head', '', '1e1']) assert.ok(freezeProblem(bad, 4), bad);
});
