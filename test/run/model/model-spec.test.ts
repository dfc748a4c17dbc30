/** Model names, and names, shapes and order of the parameters. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { modelSpec, patchCount, patchLength, headsOfModel } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';

const options = { imageSize: 224, classes: 10 };

for (const name of ['vit-b/16', 'b/16', 'ViT-B/16', 'B/16']) {
  test(`${name} is vit-b/16`, () => {
    const spec = modelSpec(name, options);
    assert.deepEqual(spec, {
      name: 'vit-b/16',
      layers: 12,
      hidden: 768,
      mlp: 3072,
      heads: 12,
      patch: 16,
      imageSize: 224,
      classes: 10,
      preLogits: 0,
      gelu: 'tanh',
      pooling: 'class-token',
      lastNorm: 'before-pooling',
      layerScale: 0,
      registers: 0,
      distillation: false,
      layerNormEpsilon: 1e-6,
      qkvBias: true,
      positions: 'all-tokens',
    });
    assert.equal(patchCount(spec), 196);
    assert.equal(patchLength(spec), 768);
  });
}

for (const name of [
  '',
  'vit',
  'b',
  'b/',
  'b/0',
  'b/-4',
  'b/1.5',
  'xl/16',
  'constructor/16',
  'vit-b/16/2',
  'b 16',
]) {
  test(`"${name}" is no model, and the error lists the sizes`, () => {
    assert.throws(() => modelSpec(name, options), {
      code: 'MODEL_UNKNOWN',
      message: /vit-micro, vit-ti, vit-s, vit-b, vit-l, vit-h/,
    });
  });
}

test('an image size that the patch does not divide is refused with one that it does', () => {
  assert.throws(() => modelSpec('b/16', { ...options, imageSize: 230 }), {
    code: 'MODEL_PATCH_DOES_NOT_DIVIDE',
    message: /230 is not divisible by the patch size 16.*for example 224/,
  });
  assert.throws(() => modelSpec('b/32', { ...options, imageSize: 5 }), { message: /for example 32/ });
});

test('parameters lie one after the other, in a fixed order, with the names of timm', () => {
  const { slots, length } = parameterLayout(
    modelSpec('micro/8', { imageSize: 32, classes: 10, preLogits: 7 }),
  );
  let offset = 0;
  for (const slot of slots) {
    assert.equal(slot.offset, offset);
    assert.equal(
      slot.length,
      slot.shape.reduce((product, side) => product * side, 1),
    );
    offset += slot.length;
  }
  assert.equal(offset, length);
  const summary = slots.map(({ name, shape, kind }) => `${name} [${shape.join()}] ${kind}`);
  assert.deepEqual(summary.slice(0, 16), [
    'cls_token [1,1,64] embedding',
    'pos_embed [1,17,64] embedding',
    'patch_embed.proj.weight [64,3,8,8] kernel',
    'patch_embed.proj.bias [64] bias',
    'blocks.0.norm1.weight [64] norm-scale',
    'blocks.0.norm1.bias [64] norm-shift',
    'blocks.0.attn.qkv.weight [192,64] kernel',
    'blocks.0.attn.qkv.bias [192] bias',
    'blocks.0.attn.proj.weight [64,64] kernel',
    'blocks.0.attn.proj.bias [64] bias',
    'blocks.0.norm2.weight [64] norm-scale',
    'blocks.0.norm2.bias [64] norm-shift',
    'blocks.0.mlp.fc1.weight [256,64] kernel',
    'blocks.0.mlp.fc1.bias [256] bias',
    'blocks.0.mlp.fc2.weight [64,256] kernel',
    'blocks.0.mlp.fc2.bias [64] bias',
  ]);
  assert.deepEqual(summary.slice(-6), [
    'norm.weight [64] norm-scale',
    'norm.bias [64] norm-shift',
    'pre_logits.fc.weight [7,64] kernel',
    'pre_logits.fc.bias [7] bias',
    'head.weight [10,7] kernel',
    'head.bias [10] bias',
  ]);
});

test('the heads of a model follow from its name, in any case; what is no name has none', () => {
  const heads = ['vit-b/16', 'ViT-H/14', 'micro/8', 'vit-2x16x32x2/8', 'vit-b', 'resnet-50', ''].map(
    headsOfModel,
  );
  assert.deepEqual(heads, [12, 16, 2, 2, null, null, null]);
});
