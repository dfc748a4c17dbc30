/** A model's shape is read from names and shapes, and what vitrail does not compute is refused by its name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parameterLayout } from '../../src/run/model/parameter-layout.js';
import { modelSpec } from '../../src/run/model/model-spec.js';
import { adaptWeights } from '../../src/run/model/weight-adaptation.js';
import { usualHeads } from '../../src/weights/names/library-facts.js';
import { recognise } from '../../src/weights/names/recognise.js';

const spec = modelSpec('vit-s/16', { imageSize: 224, classes: 10, gelu: 'erf' });

/** timm's names and shapes of the model. */
const shapes = (more: Readonly<Record<string, readonly number[]>> = {}) =>
  new Map([
    ...parameterLayout(spec).slots.map(({ name, shape }) => [name, { shape }] as const),
    ...Object.entries(more).map(([name, shape]) => [name, { shape }] as const),
  ]);

const NOTHING = { config: null, heads: null };

test('the size of a model has its name, and heads are 64 wide unless something else is told', () => {
  assert.deepEqual(recognise('f', shapes(), NOTHING).spec, spec);
  assert.equal(recognise('f', shapes(), { config: null, heads: 12 }).spec.name, 'vit-12x384x1536x12/16');
  const config = { model_args: { num_heads: 8 } };
  assert.equal(recognise('f', shapes(), { config, heads: 12 }).spec.heads, 8);
});

test('heads of the published models that have others are known by their width', () => {
  for (const [width, heads] of [
    [64, 2],
    [1152, 16],
    [1280, 16],
    [768, 12],
  ] as const) {
    assert.equal(usualHeads(width), heads);
  }
});

for (const [tensor, feature] of [
  ['blocks.0.mlp.w12.weight', 'a SwiGLU MLP'],
  ['rope_embed.periods', 'rotary positions'],
  ['norm_pre.weight', 'a LayerNorm before the blocks'],
  ['blocks.0.attn.q_norm.weight', 'normalised queries and keys'],
  ['blocks.3.attn.relative_position_bias_table', 'relative positions'],
  ['attn_pool.latent', 'attention pooling'],
  ['blocks.0.attn.surprise', 'the tensor blocks.0.attn.surprise'],
] as const) {
  test(`${feature} is refused by name`, () => {
    assert.throws(() => recognise('f', shapes({ [tensor]: [1] }), NOTHING), {
      code: 'WEIGHTS_FEATURE_MISSING',
      message: new RegExp(feature),
    });
  });
}

test('an activation and a pooling that are not computed are refused, parts without effect are passed over', () => {
  const withArgs = (args: object) => () =>
    recognise('f', shapes(), { config: { model_args: args }, heads: null });
  assert.throws(withArgs({ act_layer: 'quick_gelu' }), /the activation "quick_gelu"/);
  assert.throws(withArgs({ global_pool: 'map' }), /the pooling "map"/);
  assert.throws(
    withArgs({ global_pool: 'avg', pool_include_prefix: true }),
    /a mean over the class token too/,
  );
  assert.equal(recognise('f', shapes({ mask_token: [1, 384] }), NOTHING).spec.name, 'vit-s/16');
});

test('a last norm after pooling means the mean over the patches, unless config.json says that the class token is taken', () => {
  const tensors = new Map(
    [...shapes()].map(([name, shape]) => [name.replace(/^norm\./, 'fc_norm.'), shape] as const),
  );
  for (const [config, pooling] of [
    [null, 'average'],
    [{ global_pool: 'avg' }, 'average'],
    [{ global_pool: 'token' }, 'class-token'],
    [{ global_pool: 'avg', model_args: { global_pool: 'token' } }, 'class-token'],
  ] as const) {
    const { spec: found } = recognise('f', tensors, { config, heads: null });
    assert.deepEqual([found.pooling, found.lastNorm], [pooling, 'after-pooling']);
  }
});

test('what is no Vision Transformer, or one with parameters missing or of another shape, is refused', () => {
  const without = (name: string) => new Map([...shapes()].filter(([found]) => found !== name));
  for (const [tensors, problem] of [
    [new Map(), /it has no tensors/],
    [new Map([['conv1.weight', { shape: [64, 3, 7, 7] }]]), /it has conv1\.weight and no patch embedding/],
    [without('blocks.3.norm2.bias'), /it has no blocks\.3\.norm2\.bias/],
    [without('cls_token'), /no class token/],
    [
      shapes({ 'blocks.1.mlp.fc2.weight': [1536, 384] }),
      /fc2\.weight is \[1536, 384\], and .* is \[384, 1536\]/,
    ],
    [shapes({ pos_embed: [1, 200, 384] }), /200 positions, which are no square grid/],
  ] as const) {
    assert.throws(() => recognise('f', tensors, NOTHING), problem);
  }
});

test('a head for as many classes is kept where that is asked for, and replaced by zeros for others', () => {
  const flat = new Float32Array(parameterLayout(spec).length).fill(0.5);
  const headOf = (classes: number, keepHead: boolean): number => {
    const to = modelSpec('vit-s/16', { imageSize: 224, classes, gelu: 'erf' });
    const adapted = adaptWeights(spec, flat, to, 'f', { keepHead, positions: 'bilinear' });
    const { offset } = parameterLayout(to).slots.find(({ name }) => name === 'head.weight')!;
    return adapted[offset]!;
  };
  assert.deepEqual([headOf(10, true), headOf(10, false), headOf(9, true)], [0.5, 0, 0]);
});
