/** Features of published models: which parameters they have, under timm's names, and which do not go together. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { FeatureOptions } from '../../../src/run/model/model-features.js';
import { modelSpec, positionCount, tokenCount } from '../../../src/run/model/model-spec.js';
import { modelSummary } from '../../../src/run/model/model-summary.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';

const size = { imageSize: 28, classes: 10 };

/** Parameters that a feature adds to the paper's model, and those that it takes away, with their shapes. */
function difference(features: FeatureOptions): { added: string[]; gone: string[] } {
  const listed = (options: FeatureOptions): string[] =>
    parameterLayout(modelSpec('micro/14', { ...size, ...options })).slots.map(
      ({ name, shape }) => `${name} [${shape.join()}]`,
    );
  const [plain, other] = [listed({}), listed(features)];
  return {
    added: other.filter((line) => !plain.includes(line) && !/blocks\.[1-3]/.test(line)),
    gone: plain.filter((line) => !other.includes(line) && !/blocks\.[1-3]/.test(line)),
  };
}

const CASES: readonly [string, FeatureOptions, added: string[], gone: string[]][] = [
  [
    'the norm after an average is fc_norm',
    { pooling: 'average' },
    ['fc_norm.weight [64]', 'fc_norm.bias [64]'],
    ['norm.weight [64]', 'norm.bias [64]'],
  ],
  ['an average after the norm leaves all names', { pooling: 'average', lastNorm: 'before-pooling' }, [], []],
  [
    'class token and average make the head twice as wide',
    { pooling: 'class-token-and-average' },
    ['head.weight [10,128]'],
    ['head.weight [10,64]'],
  ],
  [
    'LayerScale has a factor a column for each branch',
    { layerScale: 1e-5 },
    ['blocks.0.ls1.gamma [64]', 'blocks.0.ls2.gamma [64]'],
    [],
  ],
  [
    'registers have positions if all tokens have',
    { registers: 4 },
    ['reg_token [1,4,64]', 'pos_embed [1,9,64]'],
    ['pos_embed [1,5,64]'],
  ],
  [
    'positions of the patches alone',
    { registers: 4, positions: 'patches' },
    ['reg_token [1,4,64]', 'pos_embed [1,4,64]'],
    ['pos_embed [1,5,64]'],
  ],
  [
    'a distillation token has a head of its own',
    { distillation: true },
    ['dist_token [1,1,64]', 'pos_embed [1,6,64]', 'head_dist.weight [10,64]', 'head_dist.bias [10]'],
    ['pos_embed [1,5,64]'],
  ],
  ['without biases of queries, keys and values', { qkvBias: false }, [], ['blocks.0.attn.qkv.bias [192]']],
  ['epsilon is no parameter', { layerNormEpsilon: 1e-12 }, [], []],
];

for (const [what, features, added, gone] of CASES) {
  test(`parameters: ${what}`, () => {
    assert.deepEqual(difference(features), { added, gone });
    const spec = modelSpec('micro/14', { ...size, ...features });
    assert.equal(modelSummary(spec).parameters, parameterLayout(spec).length);
  });
}

test('tokens are counted with all that come before the patches', () => {
  const spec = modelSpec('micro/14', { ...size, registers: 4, distillation: true, positions: 'patches' });
  assert.equal(tokenCount(spec), 10);
  assert.equal(positionCount(spec), 4);
});

for (const [features, reason] of [
  [{ distillation: true, pooling: 'average' }, /needs pooling class-token, not average/],
  [{ distillation: true, preLogits: 8 }, /no pre-logits/],
  [{ pooling: 'class-token-and-average', lastNorm: 'after-pooling' }, /as wide as two tokens/],
] as const) {
  test(`${JSON.stringify(features)} is refused`, () => {
    assert.throws(() => modelSpec('micro/14', { ...size, ...features }), {
      code: 'MODEL_FEATURES_CONFLICT',
      message: reason,
    });
  });
}
