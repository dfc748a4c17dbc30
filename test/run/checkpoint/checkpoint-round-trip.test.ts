/** What a checkpoint holds comes back bit for bit, and only for the model it was made with. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeDisk } from '../../../src/host/disk.js';
import { readCheckpoint, readCheckpointState } from '../../../src/run/checkpoint/checkpoint-reader.js';
import { readSafetensorsHeader } from '../../../src/run/checkpoint/safetensors.js';
import { modelSpec, type ModelOptions } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';
import { LAYOUT, SPEC, codeOf, contentOf, withRunFolder, saveCheckpoint } from './checkpoint-fixture.js';

function sameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
}

test('weights, slots, step and state come back bit for bit', () =>
  withRunFolder(async (runDir) => {
    const content = contentOf(123);
    const path = await saveCheckpoint(runDir, content);
    assert.equal(path, join(runDir, 'checkpoints', 'step-00000123'));
    assert.deepEqual(readdirSync(path).sort(), [
      'COMPLETE',
      'checksums.json',
      'optimizer.safetensors',
      'state.json',
      'weights.safetensors',
    ]);
    assert.equal(readFileSync(join(path, 'COMPLETE')).length, 0);
    const read = await readCheckpoint(nodeDisk, path, LAYOUT);
    assert.equal(read.path, path);
    assert.equal(read.step, 123);
    assert.deepEqual(read.state, content.state);
    assert.ok(sameBits(read.weights, content.weights));
    assert.deepEqual(Object.keys(read.slots), ['exp_avg', 'exp_avg_sq']);
    for (const [name, flat] of Object.entries(content.slots)) assert.ok(sameBits(read.slots[name]!, flat));
    assert.deepEqual(await readCheckpointState(nodeDisk, path), { path, step: 123, state: content.state });
  }));

test('the tensors carry timm’s names, the optimizer’s a prefix', () =>
  withRunFolder(async (runDir) => {
    const path = await saveCheckpoint(runDir, contentOf(1));
    const weights = await readSafetensorsHeader(nodeDisk, join(path, 'weights.safetensors'));
    assert.deepEqual(
      weights.tensors.map(({ name }) => name),
      LAYOUT.slots.map(({ name }) => name),
    );
    assert.deepEqual(weights.metadata, { format: 'pt', producer: 'vitrail', step: '1' });
    const optimizer = await readSafetensorsHeader(nodeDisk, join(path, 'optimizer.safetensors'));
    assert.equal(optimizer.tensors[0]?.name, 'exp_avg.cls_token');
    assert.equal(optimizer.tensors.at(-1)?.name, 'exp_avg_sq.head.bias');
  }));

test('the same content gives the same files, byte for byte', () =>
  withRunFolder(async (runDir) => {
    const a = await saveCheckpoint(join(runDir, 'a'), contentOf(5));
    const b = await saveCheckpoint(join(runDir, 'b'), contentOf(5));
    for (const name of readdirSync(a)) {
      assert.ok(readFileSync(join(a, name)).equals(readFileSync(join(b, name))), name);
    }
  }));

test('a checkpoint without optimizer slots is read as one', () =>
  withRunFolder(async (runDir) => {
    const path = await saveCheckpoint(runDir, { ...contentOf(0), slots: {} });
    assert.deepEqual((await readCheckpoint(nodeDisk, path, LAYOUT)).slots, {});
  }));

const OTHERS: readonly (readonly [name: string, options: ModelOptions, message: RegExp])[] = [
  ['vit-micro/16', { imageSize: 32, classes: 2 }, /pos_embed is \[1, 2, 64\], the model's is \[1, 5, 64\]/],
  ['vit-micro/16', { imageSize: 16, classes: 3 }, /head\.weight is \[2, 64\], the model's is \[3, 64\]/],
  ['vit-ti/16', { imageSize: 16, classes: 2 }, /cls_token is \[1, 1, 64\], the model's is \[1, 1, 192\]/],
  ['vit-micro/16', { imageSize: 16, classes: 2, preLogits: 8 }, /it has no pre_logits\.fc\.weight/],
];

for (const [name, options, message] of OTHERS) {
  test(`${name} with ${JSON.stringify(options)} refuses the checkpoint, naming the first difference`, () =>
    withRunFolder(async (runDir) => {
      const path = await saveCheckpoint(runDir, contentOf(1));
      const layout = parameterLayout(modelSpec(name, options));
      await assert.rejects(readCheckpoint(nodeDisk, path, layout), {
        code: 'CHECKPOINT_OTHER_MODEL',
        message,
      });
    }));
}

test('a model with fewer parameters names the first one it has not', () =>
  withRunFolder(async (runDir) => {
    const withLayer = parameterLayout({ ...SPEC, layers: 5 });
    const flat = new Float32Array(withLayer.length);
    const content = {
      step: 1,
      layout: withLayer,
      weights: flat,
      slots: { ema: flat },
      state: {},
      metadata: {},
    };
    const path = await saveCheckpoint(runDir, content);
    await assert.rejects(readCheckpoint(nodeDisk, path, LAYOUT), {
      code: 'CHECKPOINT_OTHER_MODEL',
      message: /it has blocks\.4\.norm1\.weight, which the model does not have/,
    });
  }));

test('the same step can be written again with another state, and the later one stays', () =>
  withRunFolder(async (runDir) => {
    await saveCheckpoint(runDir, contentOf(7));
    const path = await saveCheckpoint(runDir, { ...contentOf(7), state: { epoch: 2 } });
    assert.deepEqual((await readCheckpoint(nodeDisk, path, LAYOUT)).state, { epoch: 2 });
    assert.deepEqual(readdirSync(join(runDir, 'checkpoints')), ['step-00000007']);
  }));

test('arrays of another length than the layout are refused, and nothing stays behind', () =>
  withRunFolder(async (runDir) => {
    const short = new Float32Array(3);
    const content = contentOf(1);
    await assert.rejects(
      saveCheckpoint(runDir, { ...content, weights: short }),
      /INTERNAL.*weights has 3 elements for/,
    );
    await assert.rejects(
      saveCheckpoint(runDir, { ...content, slots: { momentum: short } }),
      /INTERNAL.*momentum has 3 elements for/,
    );
    assert.deepEqual(readdirSync(join(runDir, 'checkpoints')), []);
  }));

test('a state with a number that JSON cannot hold is refused by its key', () =>
  withRunFolder(async (runDir) => {
    const state = { maxima: { head: Infinity } };
    await assert.rejects(saveCheckpoint(runDir, { ...contentOf(1), state }), /INTERNAL.*head is Infinity/);
  }));

test('a file in the way, and a folder that cannot be made, are write failures', () =>
  withRunFolder(async (runDir) => {
    const file = join(runDir, 'file');
    writeFileSync(file, '');
    assert.equal(await codeOf(saveCheckpoint(file, contentOf(1))), 'CHECKPOINT_WRITE_FAILED');
    if (existsSync('/proc/self')) {
      assert.equal(await codeOf(saveCheckpoint('/proc/self/none', contentOf(1))), 'CHECKPOINT_WRITE_FAILED');
    }
  }));
