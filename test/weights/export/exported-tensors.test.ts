/** Exported weights have the names and shapes that the libraries' own models have. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { modelSpec, type ModelOptions, type ModelSpec } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';
import {
  exportedTensors,
  obstacleOf,
  type WeightsFormat,
} from '../../../src/weights/export/exported-tensors.js';

const names = JSON.parse(readFileSync('test/fixtures/export/names.json', 'utf8')) as Record<
  string,
  Record<string, readonly number[]>
>;

function spec(options: Partial<ModelOptions> = {}): ModelSpec {
  return modelSpec('vit-micro/16', Object.assign({ imageSize: 32, classes: 3 }, options));
}

/** Dinov2 keeps a token for its own training, which a classifier never uses. */
const UNUSED = 'dinov2.embeddings.mask_token';

for (const [model, format, options] of [
  ['hf vit', 'hf', {}],
  ['hf deit', 'hf', { distillation: true }],
  ['hf dinov2', 'hf', { pooling: 'class-token-and-average', layerScale: 1 }],
  ['timm vit', 'timm', {}],
  ['timm average', 'timm', { pooling: 'average', layerScale: 1e-5, qkvBias: false }],
  ['timm distilled', 'timm', { distillation: true }],
  ['timm registers', 'timm', { registers: 4, positions: 'patches' }],
  ['torchvision', 'torchvision', { gelu: 'erf' }],
  ['torchvision pre-logits', 'torchvision', { gelu: 'erf', preLogits: 8 }],
] as const) {
  test(`${model}: names and shapes are the library's`, () => {
    const tensors = exportedTensors(format, spec(options));
    const found = Object.fromEntries(tensors.map(({ name, shape }) => [name, shape]));
    const expected = Object.fromEntries(Object.entries(names[model]!).filter(([name]) => name !== UNUSED));
    assert.deepEqual(found, expected);
  });

  test(`${model}: every weight is in exactly one tensor, in the order of ours`, () => {
    let end = 0;
    for (const { offset, length, shape } of exportedTensors(format, spec(options))) {
      assert.equal(offset, end);
      assert.equal(
        length,
        shape.reduce((product, side) => product * side, 1),
      );
      end = offset + length;
    }
    assert.equal(end, parameterLayout(spec(options)).length);
  });
}

for (const [format, options, reason] of [
  ['torchvision', {}, /exact one/],
  ['torchvision', { gelu: 'erf', pooling: 'average' }, /pooling/],
  ['torchvision', { gelu: 'erf', layerNormEpsilon: 1e-12 }, /layerNormEpsilon is 0.000001/],
  ['torchvision', { gelu: 'erf', layerScale: 1 }, /LayerScale/],
  ['hf', { preLogits: 8 }, /tanh layer/],
  ['hf', { pooling: 'average' }, /last LayerNorm/],
  ['hf', { pooling: 'average', lastNorm: 'before-pooling' }, /the average/],
  ['hf', { registers: 2 }, /registers/],
  ['hf', { layerScale: 1 }, /vit has no LayerScale/],
  ['hf', { positions: 'patches' }, /position/],
  ['hf', { pooling: 'class-token-and-average' }, /Dinov2 has LayerScale/],
  ['timm', { preLogits: 8 }, /tanh layer/],
  ['timm', { pooling: 'class-token-and-average' }, /not both/],
  ['timm', { layerNormEpsilon: 1e-12 }, /epsilon/],
  ['timm', { distillation: true, registers: 1 }, /no registers/],
] as const satisfies readonly (readonly [WeightsFormat, Partial<ModelOptions>, RegExp])[]) {
  test(`${format} cannot express ${JSON.stringify(options)}, and says why`, () => {
    assert.match(obstacleOf(format, spec(options)) ?? 'no obstacle', reason);
    assert.throws(() => exportedTensors(format, spec(options)), { code: 'EXPORT_IMPOSSIBLE' });
  });
}
