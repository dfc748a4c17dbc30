/** A trained model becomes a folder for another library, whole or not at all. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportModel } from '../../src/api/export-model.js';
import { logitDifference } from '../../src/api/export/logit-difference.js';
import { nodeDisk } from '../../src/host/disk.js';
import { readSafetensors } from '../../src/run/checkpoint/safetensors.js';
import { checkpointIn, CLASSES } from './exported-checkpoint.js';

const jsonOf = (...path: string[]): Record<string, unknown> =>
  JSON.parse(readFileSync(join(...path), 'utf8')) as Record<string, unknown>;

test('Hugging Face: weights, config, preprocessing and card are in the folder, and logits are equal', async (t) => {
  const { data, path, out, weights, layout } = await checkpointIn(t, { interpolation: 'bicubic' });
  const { difference, images } = await exportModel(path, { to: 'hf', out, data, backend: 'wasm' });
  assert.ok(difference < 1e-5 && images === 8, `${difference} on ${images} images`);
  const names = ['README.md', 'config.json', 'model.safetensors', 'onnx', 'preprocessor_config.json'];
  assert.deepEqual(readdirSync(out).sort(), names);
  const config = jsonOf(out, 'config.json');
  assert.deepEqual(config['id2label'], { '0': 'ant', '1': 'bee', '2': 'cat' });
  assert.deepEqual([config['hidden_act'], config['layer_norm_eps']], ['gelu_new', 1e-6]);
  const { size, crop_size, resample } = jsonOf(out, 'preprocessor_config.json');
  assert.deepEqual([size, crop_size, resample], [{ shortest_edge: 18 }, { height: 16, width: 16 }, 3]);
  const tensors = await readSafetensors(nodeDisk, join(out, 'model.safetensors'));
  const { offset, length } = layout.slots.find(({ name }) => name === 'blocks.2.attn.qkv.weight')!;
  const key = tensors.get('vit.encoder.layer.2.attention.attention.key.weight')!;
  assert.deepEqual(key.data, weights.slice(offset + length / 3, offset + (2 * length) / 3));
  assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /AutoModelForImageClassification/);
});

test('timm: the config names every size, and the view as timm says it', async (t) => {
  const { data, path, out } = await checkpointIn(t, { gelu: 'erf' });
  const { difference } = await exportModel(path, { to: 'timm', out, data, backend: 'wasm' });
  assert.ok(difference < 1e-5, `${difference}`);
  const { model_args: args, pretrained_cfg: cfg } = jsonOf(out, 'config.json');
  assert.deepEqual(args, {
    img_size: 16,
    patch_size: 8,
    embed_dim: 64,
    depth: 4,
    num_heads: 2,
    mlp_ratio: 4,
    act_layer: 'gelu',
    qkv_bias: true,
    global_pool: 'token',
    fc_norm: false,
    reg_tokens: 0,
    no_embed_class: false,
  });
  const { crop_pct: fraction, label_names: labels } = cfg as { crop_pct: number; label_names: string[] };
  assert.deepEqual([Math.floor(16 / fraction), labels], [18, CLASSES]);
});

for (const [what, options] of [
  ['tanh', {}],
  [
    'erf, bicubic, ImageNet',
    { gelu: 'erf', interpolation: 'bicubic', mean: '0.485,0.456,0.406', std: '0.2' },
  ],
  ['pre-logits, epsilon', { preLogits: 24, layerNormEpsilon: 1e-12 }],
  ['average, LayerScale, registers', { pooling: 'average', layerScale: 0.5, registers: 3, qkvBias: false }],
  ['average before the norm', { pooling: 'average', lastNorm: 'before-pooling', positions: 'patches' }],
  ['both poolings', { pooling: 'class-token-and-average', layerScale: 0.1 }],
  ['distillation', { distillation: true }],
] as const) {
  test(`ONNX: onnxruntime computes our logits (${what})`, async (t) => {
    const { data, path, out } = await checkpointIn(t, options);
    const { difference } = await exportModel(path, { to: 'onnx', out, data, backend: 'wasm' });
    assert.ok(difference < 1e-5, `${difference}`);
    assert.ok(readFileSync(out).includes('["ant","bee","cat"]'));
  });
}

test('ONNX in half precision is half as large, and its logits are close', async (t) => {
  const { dir, data, path, out } = await checkpointIn(t);
  await exportModel(path, { to: 'onnx', out, data, backend: 'wasm' });
  const half = join(dir, 'half.onnx');
  const to = { to: 'onnx', precision: 'fp16', out: half, data, backend: 'wasm' } as const;
  const { difference } = await exportModel(path, to);
  assert.ok(difference > 0 && difference < 5e-3, `${difference}`);
  assert.ok(readFileSync(half).length < 0.55 * readFileSync(out).length);
});

test('what a library cannot express, and what exists already, is refused before anything is written', async (t) => {
  const { dir, data, path, out } = await checkpointIn(t);
  const before = readdirSync(dir);
  const to = async (format: 'hf' | 'torchvision', place: string) =>
    exportModel(path, { to: format, out: place, data, backend: 'wasm' });
  await assert.rejects(to('torchvision', out), { code: 'EXPORT_IMPOSSIBLE' });
  await assert.rejects(to('hf', data), { code: 'EXPORT_EXISTS' });
  assert.deepEqual(readdirSync(dir), before);
});

test('a model with NaN in its weights is refused by the name of the tensor, and leaves nothing behind', async (t) => {
  const { dir, data, path, out } = await checkpointIn(t, {}, (weights) => weights.fill(NaN, 0, 64));
  const before = readdirSync(dir);
  await assert.rejects(exportModel(path, { to: 'hf', out, data, backend: 'wasm' }), {
    code: 'WEIGHTS_NOT_FINITE',
  });
  assert.deepEqual(readdirSync(dir), before);
});

test('what a killed export left is removed by the next one to the same place', async (t) => {
  const { dir, data, path, out } = await checkpointIn(t);
  await mkdir(join(dir, '.tmp-exported-left'));
  await mkdir(join(dir, '.tmp-other-left'));
  await exportModel(path, { to: 'timm', out, data, backend: 'wasm' });
  assert.ok(!existsSync(join(dir, '.tmp-exported-left')));
  assert.ok(existsSync(join(dir, '.tmp-other-left')));
});

test('a difference of logits is relative to the largest, and nothing that is no number passes', () => {
  assert.equal(logitDifference([1, -4], [1, -4]), 0);
  assert.equal(logitDifference([1, -4], [2, -4]), 0.25);
  assert.equal(logitDifference([0, 0], [0, 1]), Infinity);
  assert.equal(logitDifference([1], [NaN]), Infinity);
  assert.equal(logitDifference([1], [1, 2]), Infinity);
  assert.equal(logitDifference([], []), Infinity);
});
