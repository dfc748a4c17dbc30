/** Exported weights have the names and shapes that the libraries' own models have. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { modelSpec, type ModelOptions, type ModelSpec } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';
import { transformersConfig } from '../../../src/weights/export/transformers-config.js';
import { tensorValues, type ModelTensor } from '../../../src/weights/export/model-tensors.js';
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

/** Factors of LayerScale that stand for none. */
function isFilling({ parts }: ModelTensor, value: number): boolean {
  return value === 1 && parts.every(({ kind }) => kind === 'constant');
}

for (const [model, format, options] of [
  ['hf vit', 'hf', {}],
  ['hf deit', 'hf', { distillation: true }],
  ['hf dinov2', 'hf', { pooling: 'class-token-and-average', layerScale: 1 }],
  ['hf dinov2', 'hf', { pooling: 'average', lastNorm: 'before-pooling' }],
  ['hf dinov2', 'hf', { layerScale: 1, positions: 'patches' }],
  ['hf dinov2 registers', 'hf', { registers: 4, positions: 'patches' }],
  ['hf vit', 'hf', { positions: 'patches' }],
  ['timm vit', 'timm', {}],
  ['timm average', 'timm', { pooling: 'average', layerScale: 1e-5, qkvBias: false }],
  ['timm distilled', 'timm', { distillation: true }],
  ['timm registers', 'timm', { registers: 4, positions: 'patches' }],
  ['timm distilled', 'timm', { distillation: true, positions: 'patches' }],
  ['torchvision', 'torchvision', { gelu: 'erf' }],
  ['torchvision', 'torchvision', { gelu: 'erf', qkvBias: false, positions: 'patches' }],
  ['torchvision pre-logits', 'torchvision', { gelu: 'erf', preLogits: 8 }],
] as const) {
  const what = `${model} from ${JSON.stringify(options)}`;
  test(`${what}: names and shapes are the library's`, () => {
    const tensors = exportedTensors(format, spec(options));
    const found = Object.fromEntries(tensors.map(({ name, shape }) => [name, shape]));
    assert.deepEqual(found, names[model]);
  });

  test(`${what}: every weight is in exactly one tensor, and every tensor is filled`, () => {
    const { length } = parameterLayout(spec(options));
    const numbered = Float32Array.from({ length }, (_, i) => i + 1);
    const times = new Uint8Array(length);
    for (const tensor of exportedTensors(format, spec(options))) {
      const values = tensorValues(tensor, numbered);
      assert.equal(
        values.length,
        tensor.shape.reduce((product, side) => product * side, 1),
      );
      for (const value of values) if (value > 0 && !isFilling(tensor, value)) times[value - 1]!++;
    }
    assert.deepEqual(new Set(times), new Set([1]));
  });
}

for (const [format, options, reason] of [
  ['torchvision', {}, /exact one/],
  ['torchvision', { gelu: 'erf', pooling: 'average' }, /pooling/],
  ['torchvision', { gelu: 'erf', layerNormEpsilon: 1e-12 }, /layerNormEpsilon is 0.000001/],
  ['torchvision', { gelu: 'erf', layerScale: 1 }, /LayerScale/],
  ['hf', { preLogits: 8 }, /tanh layer/],
  ['hf', { pooling: 'average' }, /last LayerNorm/],
  ['hf', { distillation: true, registers: 2 }, /registers/],
  ['hf', { distillation: true, layerScale: 1 }, /LayerScale/],
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

test('Hugging Face gets no Dinov2 whose MLP is no whole multiple of the width, and no numbers that it takes for another type', () => {
  const options = { imageSize: 32, classes: 3, layerScale: 1 };
  assert.match(obstacleOf('hf', modelSpec('2x24x40x2/16', options)) ?? '', /whole multiple/);
  const config = transformersConfig(modelSpec('vit-micro/16', options), ['a', 'b', 'c']);
  assert.equal(config['mlp_ratio'], 4);
  assert.ok(!('layerscale_value' in config), 'JSON has no 1.0, and transformers 5 refuses 1');
});
