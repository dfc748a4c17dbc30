/** Initial weights have the distributions of vit_jax, timm and torchvision, and never change. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { modelSpec } from '../../src/run/model/model-spec.js';
import { parameterLayout } from '../../src/run/model/parameter-layout.js';
import { INITIALISATIONS, initialWeights, type Initialisation } from '../../src/nn/vit/initialisation.js';

const spec = modelSpec('micro/8', { imageSize: 64, classes: 30, preLogits: 48 });
const layout = parameterLayout(spec);
const FLAT = Object.fromEntries(INITIALISATIONS.map((scheme) => [scheme, initialWeights(spec, scheme, 1)]));

/** What a parameter's values should look like. */
type Expectation =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal' | 'uniform'; readonly deviation: number; readonly limit: number };

const zero: Expectation = { kind: 'constant', value: 0 };
const one: Expectation = { kind: 'constant', value: 1 };
const normal = (deviation: number, limit = Infinity): Expectation => ({ kind: 'normal', deviation, limit });
const uniform = (limit: number): Expectation => ({ kind: 'uniform', deviation: limit / Math.sqrt(3), limit });
const xavier = (fanIn: number, fanOut: number): Expectation => uniform(Math.sqrt(6 / (fanIn + fanOut)));
const leCun = (fanIn: number): Expectation =>
  normal(Math.sqrt(1 / fanIn), (2 * Math.sqrt(1 / fanIn)) / 0.8796256610342398);

// D = 64, MLP 256, patch 8: fan in 192.
const EXPECTED: Record<Initialisation, Record<string, Expectation>> = {
  'vit-jax': {
    cls_token: zero,
    pos_embed: normal(0.02),
    'patch_embed.proj.weight': leCun(192),
    'patch_embed.proj.bias': zero,
    'blocks.2.norm1.weight': one,
    'blocks.2.norm1.bias': zero,
    'blocks.2.attn.qkv.weight': xavier(64, 64),
    'blocks.2.attn.qkv.bias': zero,
    'blocks.2.attn.proj.weight': xavier(64, 64),
    'blocks.2.mlp.fc1.weight': xavier(64, 256),
    'blocks.2.mlp.fc1.bias': normal(1e-6),
    'blocks.2.mlp.fc2.weight': xavier(256, 64),
    'blocks.2.mlp.fc2.bias': normal(1e-6),
    'norm.weight': one,
    'pre_logits.fc.weight': leCun(64),
    'pre_logits.fc.bias': zero,
    'head.weight': zero,
    'head.bias': zero,
  },
  timm: {
    cls_token: normal(1e-6),
    pos_embed: normal(0.02, 2),
    'patch_embed.proj.weight': uniform(Math.sqrt(1 / 192)),
    'patch_embed.proj.bias': uniform(Math.sqrt(1 / 192)),
    'blocks.2.norm1.weight': one,
    'blocks.2.attn.qkv.weight': normal(0.02, 2),
    'blocks.2.attn.qkv.bias': zero,
    'blocks.2.attn.proj.weight': normal(0.02, 2),
    'blocks.2.mlp.fc1.weight': normal(0.02, 2),
    'blocks.2.mlp.fc1.bias': zero,
    'blocks.2.mlp.fc2.weight': normal(0.02, 2),
    'pre_logits.fc.weight': normal(0.02, 2),
    'head.weight': normal(0.02, 2),
    'head.bias': zero,
  },
  torchvision: {
    cls_token: zero,
    pos_embed: normal(0.02),
    'patch_embed.proj.weight': normal(Math.sqrt(1 / 192), 2),
    'patch_embed.proj.bias': zero,
    'blocks.2.norm2.weight': one,
    'blocks.2.attn.qkv.weight': xavier(64, 192),
    'blocks.2.attn.qkv.bias': zero,
    'blocks.2.attn.proj.weight': uniform(1 / 8),
    'blocks.2.attn.proj.bias': zero,
    'blocks.2.mlp.fc1.weight': xavier(64, 256),
    'blocks.2.mlp.fc1.bias': normal(1e-6),
    'blocks.2.mlp.fc2.weight': xavier(256, 64),
    'pre_logits.fc.weight': normal(1 / 8, 2),
    'head.weight': zero,
    'head.bias': zero,
  },
};

for (const scheme of INITIALISATIONS) {
  for (const [name, expected] of Object.entries(EXPECTED[scheme])) {
    test(`${scheme}: ${name} is ${JSON.stringify(expected)}`, () => {
      const slot = layout.slots.find((listed) => listed.name === name)!;
      const values = FLAT[scheme]!.subarray(slot.offset, slot.offset + slot.length);
      if (expected.kind === 'constant') {
        assert.ok(values.every((value) => value === expected.value));
        return;
      }
      const count = values.length;
      const { deviation, limit } = expected;
      const mean = values.reduce((sum, value) => sum + value, 0) / count;
      const measured = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
      assert.ok(Math.abs(mean) < (4 * deviation) / Math.sqrt(count), `mean ${mean}`);
      assert.ok(Math.abs(measured / deviation - 1) < 4 / Math.sqrt(2 * count), `deviation ${measured}`);
      const largest = values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
      assert.ok(largest <= Math.fround(limit), `largest ${largest}`);
      if (expected.kind === 'uniform') assert.ok(largest > limit * (1 - 10 / count), `largest ${largest}`);
      if (expected.kind === 'normal' && count > 1000) assert.ok(largest > 2 * deviation);
    });
  }
}

test('the same seed gives the same weights, and another seed gives others', () => {
  assert.deepEqual(initialWeights(spec, 'timm', 1), FLAT['timm']);
  assert.notDeepEqual(initialWeights(spec, 'timm', 2), FLAT['timm']);
});

test('parameters of one shape differ from each other', () => {
  const values = ['blocks.0', 'blocks.1', 'blocks.2'].map((block) => {
    const { offset, length } = layout.slots.find(({ name }) => name === `${block}.attn.qkv.weight`)!;
    return FLAT['vit-jax']!.subarray(offset, offset + length).join();
  });
  assert.equal(new Set(values).size, 3);
});

test('another class count leaves the rest of the weights alone', () => {
  const other = { ...spec, classes: 7 };
  const head = layout.slots.find(({ name }) => name === 'head.weight')!.offset;
  assert.deepEqual(initialWeights(other, 'timm', 1).subarray(0, head), FLAT['timm']!.subarray(0, head));
});

// Part of a run's identity: if one of these changes, every run changes.
const DIGESTS: Record<Initialisation, string> = {
  'vit-jax': 'c6455af5269f5954',
  timm: '716c8eb32057d29b',
  torchvision: '2a7cfe96ebb9157b',
};

for (const scheme of INITIALISATIONS) {
  test(`the bits of ${scheme} are those of the first release`, () => {
    const flat = FLAT[scheme]!;
    const bytes = new Uint8Array(flat.buffer, flat.byteOffset, flat.byteLength);
    assert.equal(createHash('sha256').update(bytes).digest('hex').slice(0, 16), DIGESTS[scheme]);
  });
}
