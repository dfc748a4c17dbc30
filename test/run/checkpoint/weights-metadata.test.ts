/** weights.safetensors tells a reader in another language which model it holds and which pixels it wants. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeDisk } from '../../../src/host/disk.js';
import { readSafetensorsHeader } from '../../../src/run/checkpoint/safetensors.js';
import { weightsMetadata } from '../../../src/run/checkpoint/weights-metadata.js';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { pixelScale } from '../../../src/run/model/patches.js';
import { preprocessing } from '../model/preprocessing-options.js';
import { contentOf, SPEC, withRunFolder, saveCheckpoint } from './checkpoint-fixture.js';

const CLASSES = ['Katze, "die"', 'hund\n', '犬'];
const PAPER = preprocessing('paper');
const B16 = modelSpec('vit-b/16', { imageSize: 224, classes: CLASSES.length });

test('the paper’s model is described in full: heads, epsilon, GELU, classes, and torchvision’s 256 and 224', () => {
  const { classes, ...rest } = weightsMetadata(B16, PAPER, CLASSES);
  assert.deepEqual(JSON.parse(classes!), CLASSES);
  assert.deepEqual(rest, {
    model: 'vit-b/16',
    layers: '12',
    hidden: '768',
    mlp: '3072',
    heads: '12',
    patch: '16',
    image_size: '224',
    pre_logits: '0',
    gelu: 'tanh',
    layer_norm_eps: '0.000001',
    resize: 'shorter-side',
    resize_to: '256',
    interpolation: 'bilinear-antialias',
    center_crop: '224',
    mean: '[0.5,0.5,0.5]',
    std: '[0.5,0.5,0.5]',
  });
});

test('the tutorial’s pixels are squashed and lie in [0, 1]', () => {
  const { resize, resize_to, mean, std } = weightsMetadata(B16, preprocessing('tutorial'), CLASSES);
  assert.deepEqual([resize, resize_to, mean, std], ['both-sides', '224', '[0,0,0]', '[1,1,1]']);
});

test('preprocessing of its own is told as it is', () => {
  const own = preprocessing('paper', {
    mean: '0.485,0.456,0.406',
    std: '0.229,0.224,0.225',
    interpolation: 'bicubic',
    cropMode: 'squash',
    cropFraction: 0.9,
  });
  const { resize, resize_to, interpolation, mean, std } = weightsMetadata(B16, own, CLASSES);
  assert.deepEqual([resize, resize_to, interpolation], ['both-sides', '248', 'bicubic-antialias']);
  assert.deepEqual([mean, std], ['[0.485,0.456,0.406]', '[0.229,0.224,0.225]']);
});

for (const transform of ['paper', 'tutorial'] as const) {
  test(`mean and standard deviation are those that the model's pixels have had (${transform})`, () => {
    const metadata = weightsMetadata(B16, preprocessing(transform), CLASSES);
    const [mean] = JSON.parse(metadata['mean']!) as number[];
    const [std] = JSON.parse(metadata['std']!) as number[];
    for (const [i, scaled] of pixelScale(preprocessing(transform)).entries()) {
      assert.ok(Math.abs(((i % 256) / 255 - mean!) / std! - scaled) < 1e-7, `value ${i}`);
    }
  });
}

test('a checkpoint’s weights carry it, beside format, producer and step', () =>
  withRunFolder(async (runDir) => {
    const metadata = weightsMetadata(SPEC, PAPER, ['a', 'b']);
    const path = await saveCheckpoint(runDir, { ...contentOf(3), metadata });
    const header = await readSafetensorsHeader(nodeDisk, join(path, 'weights.safetensors'));
    assert.deepEqual(header.metadata, { ...metadata, format: 'pt', producer: 'vitrail', step: '3' });
  }));
