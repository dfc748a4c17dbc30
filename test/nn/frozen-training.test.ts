/** Frozen parameters have no gradient, and the others have the gradient that they had; drop path drops as it says. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { tf } from '../../src/nn/tfjs.js';
import { BRANCH, droppedSamples } from '../../src/nn/vit/drop-path.js';
import { parameterLayout } from '../../src/run/model/parameter-layout.js';
import { trainedLayout } from '../../src/run/model/trained-parameters.js';
import { testOnBackends } from './tested-backends.js';
import { batchOf, engineWith, liveWeights, SPEC } from './training-setup.js';

const LAYOUT = parameterLayout(SPEC);
const weights = liveWeights();
const batch = batchOf(5);

async function gradients(options: Parameters<typeof engineWith>[0]): Promise<Map<string, Float32Array>> {
  const engine = await engineWith({ dropout: 0.1, dropPath: 0.4, ...options });
  engine.loadWeights(weights);
  const found = new Map<string, Float32Array>();
  const before = tf.memory().numTensors;
  await engine.trainMicroBatch(batch, { step: 1, microBatch: 2 }, (slot, gradient) => {
    found.set(slot.name, gradient.hostValues().slice());
  });
  assert.equal(tf.memory().numTensors, before, 'tensors left behind');
  engine.dispose();
  return found;
}

for (const recompute of [false, true]) {
  testOnBackends(
    `what is trained has the bits that it has with nothing frozen, and the rest no gradient${recompute ? ', recomputed' : ''}`,
    async (backend) => {
      const all = await gradients({ backend, recompute });
      assert.equal(all.size, LAYOUT.slots.length);
      for (const freeze of ['embeddings', '1', '2', 'backbone']) {
        const trained = await gradients({ backend, recompute, freeze });
        const names = trainedLayout(LAYOUT, freeze).slots.map(({ name }) => name);
        assert.deepEqual([...trained.keys()].sort(), names.sort(), freeze);
        for (const [name, gradient] of trained)
          assert.deepEqual(gradient, all.get(name), `${freeze}: ${name}`);
      }
    },
  );
}

test('branches are dropped by their rate, more often the deeper, and otherwise scaled', () => {
  const images = 4000;
  const shareOf = (layer: number, branch: 0 | 1 = BRANCH.attention, microBatch = 0) => {
    const path = { rate: 0.6, layers: 4, key: { seed: 3, step: 7, microBatch } };
    return droppedSamples(path, layer, branch, images);
  };
  assert.equal(shareOf(0), undefined);
  for (const [layer, rate] of [
    [1, 0.2],
    [2, 0.4],
    [3, 0.6],
  ] as const) {
    const { dropped, kept } = shareOf(layer)!;
    assert.ok(
      Math.abs(dropped.length / images - rate) < 0.03,
      `${dropped.length} of ${images} in block ${layer}`,
    );
    assert.ok(Math.abs(kept - 1 / (1 - rate)) < 1e-12);
  }
  assert.deepEqual(shareOf(3), shareOf(3));
  assert.notDeepEqual(shareOf(3), shareOf(3, BRANCH.mlp));
  assert.notDeepEqual(shareOf(3), shareOf(3, BRANCH.attention, 1));
});

testOnBackends('drop path changes training and no evaluation', async (backend) => {
  const losses = [];
  for (const dropPath of [0, 0.9]) {
    const engine = await engineWith({ backend, dropPath });
    engine.loadWeights(weights);
    const { losses: training } = await engine.trainMicroBatch(
      batch,
      { step: 0, microBatch: 0 },
      () => undefined,
    );
    const { losses: evaluation } = await engine.evaluateMicroBatch(batch);
    losses.push({ training, evaluation });
    engine.dispose();
  }
  assert.notDeepEqual(losses[0]!.training, losses[1]!.training);
  assert.deepEqual(losses[0]!.evaluation, losses[1]!.evaluation);
});
