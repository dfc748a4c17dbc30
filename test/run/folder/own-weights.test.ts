/** A run that starts from a run of ours takes its model, what it does with images, and its moving average. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemHost } from '../../../src/host/host.js';
import { resolveConfig } from '../../../src/run/config/config.js';
import { initialWeights } from '../../../src/run/folder/initial-weights.js';
import { publishedOptions } from '../../../src/run/folder/published-options.js';
import { checkpointState } from '../../../src/run/folder/run-checkpoint.js';
import { initialRunState } from '../../../src/run/journal/run-state.js';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { contentOf, LAYOUT, saveCheckpoint, SPEC, withRunFolder } from '../checkpoint/checkpoint-fixture.js';

/** Writes the checkpoint of a run that kept a moving average, or none. @returns weights and average */
async function ownRun(runDir: string, averaged: boolean) {
  const flags = {
    data: '/d',
    model: SPEC.name,
    imageSize: SPEC.imageSize,
    mean: '0.25',
    transform: 'tutorial',
  };
  const content = contentOf(1);
  const ema = contentOf(2).weights;
  const state = checkpointState({
    run: initialRunState(LAYOUT.slots.length),
    config: resolveConfig({ flags }),
    classes: ['a', 'b'],
    manifestDigest: 'm',
    backend: 'cpu',
  });
  const slots = averaged ? { ...content.slots, ema } : content.slots;
  await saveCheckpoint(runDir, { ...content, slots, state });
  return { weights: content.weights, ema };
}

async function startFrom(from: string, classes: readonly string[]) {
  const published = await publishedOptions(systemHost.disk, { from, commit: null, heads: null });
  const config = resolveConfig({ flags: { data: '/d' }, published });
  const spec = modelSpec(config.model, { ...config, classes: classes.length });
  const target = { config, spec, classes, warn: () => undefined };
  return { config, ...(await initialWeights(systemHost, from, target)) };
}

test('model and preprocessing come from the run, or from one of its checkpoints', async () => {
  await withRunFolder(async (runDir) => {
    await ownRun(runDir, false);
    for (const from of [runDir, join(runDir, 'checkpoints', 'step-00000001')]) {
      const { config } = await startFrom(from, ['a', 'b']);
      const { model, imageSize, mean, transform } = config;
      assert.deepEqual(
        [model, imageSize, mean, transform],
        ['vit-micro/16', 16, '0.25,0.25,0.25', 'tutorial'],
      );
    }
  });
});

test('the moving average is taken where there is one, the weights where there is none', async () => {
  for (const averaged of [true, false]) {
    await withRunFolder(async (runDir) => {
      const { weights, ema } = await ownRun(runDir, averaged);
      const started = await startFrom(runDir, ['a', 'b']);
      assert.deepEqual(started.weights, Float32Array.from(averaged ? ema : weights));
    });
  }
});

test('the head is kept for the same classes alone', async () => {
  await withRunFolder(async (runDir) => {
    await ownRun(runDir, false);
    const { offset, length } = LAYOUT.slots.find(({ name }) => name === 'head.weight')!;
    const { weights } = await startFrom(runDir, ['b', 'a']);
    assert.ok(weights.subarray(offset, offset + length).every((value) => value === 0));
  });
});
