/** Learning rates of layers are those of timm's param_groups_layer_decay; the head may have one of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FeatureOptions } from '../../../src/run/model/model-features.js';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';
import { trainedLayout } from '../../../src/run/model/trained-parameters.js';
import { rateScales, type RateOptions } from '../../../src/worker/optimizer/learning-rate-scale.js';

function scalesByName(options: RateOptions, features: FeatureOptions = {}, freeze: string | null = null) {
  const spec = { ...modelSpec('micro/16', { imageSize: 32, classes: 4, ...features }), layers: 3 };
  const layout = trainedLayout(parameterLayout(spec), freeze);
  const scales = rateScales(options, layout);
  return Object.fromEntries(layout.slots.map(({ name }, i) => [name, scales[i]]));
}

// timm 1.0.31, VisionTransformer(depth=3, init_values=1e-5), layer_decay=0.5.
const TIMM: readonly [name: string, scale: number][] = [
  ['cls_token', 0.0625],
  ['pos_embed', 0.0625],
  ['patch_embed.proj.bias', 0.0625],
  ['blocks.0.norm1.weight', 0.125],
  ['blocks.1.attn.qkv.bias', 0.25],
  ['blocks.2.mlp.fc2.weight', 0.5],
  ['blocks.2.ls2.gamma', 0.5],
  ['head.weight', 1],
  ['head.bias', 1],
];

for (const [pooling, norm, scale] of [
  ['class-token', 'norm.weight', 0.5],
  ['average', 'fc_norm.weight', 1],
] as const) {
  test(`layer decay multiplies the rates of layers as timm's (${pooling})`, () => {
    const scales = scalesByName({ layerDecay: 0.5 }, { pooling, layerScale: 1e-5 });
    for (const [name, expected] of [...TIMM, [norm, scale] as const]) {
      assert.equal(scales[name], expected, name);
    }
  });
}

test('what is frozen does not move the depth of the others', () => {
  const scales = scalesByName({ layerDecay: 0.5 }, {}, '1');
  assert.equal(scales['blocks.0.norm1.weight'], undefined);
  assert.equal(scales['blocks.1.norm1.weight'], 0.25);
  assert.deepEqual(scalesByName({ layerDecay: 0.5 }, {}, 'backbone'), { 'head.weight': 1, 'head.bias': 1 });
});

test('a rate of the head is its own whatever the decay, and without either all factors are 1', () => {
  const scales = scalesByName({ layerDecay: 0.5, headLr: 1e-2, lr: 1e-3 });
  assert.equal(scales['head.bias'], 10);
  assert.equal(scales['blocks.2.norm1.bias'], 0.5);
  assert.ok(Object.values(scalesByName({ lr: 1e-3 })).every((scale) => scale === 1));
});
