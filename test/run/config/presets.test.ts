/** The presets are the paper's rows: (epochs or steps, learning rate, decay, weight decay, dropout, clipping). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '../../../src/run/config/config.js';
import { PRESETS } from '../../../src/run/config/presets.js';

type Row = readonly [
  name: string,
  model: string,
  epochs: number,
  lr: number,
  schedule: string,
  decay: number,
  dropout: number,
  clip: number,
];

const TABLE_3: readonly Row[] = [
  ['table3-jft-b', 'vit-b/16', 7, 8e-4, 'linear', 0.1, 0, 0],
  ['table3-jft-l32', 'vit-l/32', 7, 6e-4, 'linear', 0.1, 0, 0],
  ['table3-jft-l16', 'vit-l/16', 7, 4e-4, 'linear', 0.1, 0, 0],
  ['table3-jft-h14', 'vit-h/14', 14, 3e-4, 'linear', 0.1, 0, 0],
  ['table3-imagenet21k-b', 'vit-b/16', 90, 1e-3, 'linear', 0.03, 0.1, 0],
  ['table3-imagenet21k-l', 'vit-l/16', 30, 1e-3, 'linear', 0.03, 0.1, 0],
  ['table3-imagenet1k', 'vit-b/16', 300, 3e-3, 'cosine', 0.3, 0.1, 1],
];

for (const [name, model, epochs, lr, schedule, decay, dropout, clip] of TABLE_3) {
  test(`${name} is its row of Table 3`, () => {
    const c = resolveConfig({ flags: { data: 'd' }, preset: name });
    assert.deepEqual(
      [c.model, c.epochs, c.lr, c.schedule, c.weightDecay, c.dropout, c.clipNorm],
      [model, epochs, lr, schedule, decay, dropout, clip],
    );
    assert.deepEqual(
      [c.batch, c.warmupSteps ?? 0, c.imageSize, c.optimizer, c.beta1, c.beta2, c.eps, c.steps],
      [4096, 10_000, 224, 'adamw', 0.9, 0.999, 1e-8, null],
    );
  });
}

for (const [name, steps, rates] of [
  ['table4-imagenet', 20_000, [0.003, 0.01, 0.03, 0.06]],
  ['table4-cifar10', 10_000, [0.001, 0.003, 0.01, 0.03]],
  ['table4-cifar100', 10_000, [0.001, 0.003, 0.01, 0.03]],
  ['table4-pets', 500, [0.001, 0.003, 0.01, 0.03]],
  ['table4-flowers', 500, [0.001, 0.003, 0.01, 0.03]],
  ['table4-vtab', 2500, [0.01]],
] as const) {
  test(`${name} is its row of Table 4, and its note offers the other learning rates`, () => {
    const c = resolveConfig({ flags: { data: 'd' }, preset: name });
    assert.equal(c.steps, steps);
    assert.ok((c.warmupSteps ?? 0) < steps);
    assert.ok((rates as readonly number[]).includes(c.lr));
    for (const rate of rates) assert.ok(rates.length === 1 || PRESETS[name]!.note.includes(String(rate)));
    assert.deepEqual(
      [c.optimizer, c.momentum, c.batch, c.schedule, c.weightDecay, c.clipNorm, c.imageSize, c.finalLr],
      ['sgd', 0.9, 512, 'cosine', 0, 1, 384, null],
    );
  });
}

test('the tutorial’s run is as it was: Adam with coupled decay, no warm-up, no decay, no clipping', () => {
  const c = resolveConfig({ flags: { data: 'd' }, preset: 'tutorial' });
  assert.deepEqual(
    [c.model, c.imageSize, c.batch, c.optimizer, c.lr, c.beta1, c.beta2, c.weightDecay, c.decayOn, c.dropout],
    ['vit-b/16', 224, 32, 'adam', 3e-3, 0.9, 0.999, 0.3, 'all', 0.1],
  );
  assert.deepEqual([c.transform, c.schedule, c.warmupSteps ?? 0, c.clipNorm], ['tutorial', 'constant', 0, 0]);
  assert.deepEqual(
    [c.earlyStopMetric, c.earlyStopMode, c.earlyStopPatience, c.earlyStopMinDelta, c.earlyStopPercentage],
    ['val-loss', 'min', 10, 0, false],
  );
});

test('fine-tuning decays rates by layer and no 1-D tensors; a linear probe trains the head alone', () => {
  const tuned = resolveConfig({ flags: { data: 'd', initFrom: 'w' }, preset: 'finetune' });
  assert.deepEqual([tuned.layerDecay, tuned.decayOn, tuned.freeze], [0.75, 'kernels', null]);
  const probe = resolveConfig({ flags: { data: 'd', initFrom: 'w' }, preset: 'linear-probe' });
  assert.deepEqual([probe.freeze, probe.weightDecay, probe.dropPath], ['backbone', 0, 0]);
});

test('every preset names its source', () => {
  for (const { source, note } of Object.values(PRESETS)) {
    assert.ok(source.length > 10);
    assert.ok(note.length > 10);
  }
});
