/** Every feature of a model is exported exactly to every library, or refused by its name. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { publishedLogits } from '../../src/api/export/compared-logits.js';
import { logitDifference } from '../../src/api/export/logit-difference.js';
import { exportModel } from '../../src/api/export-model.js';
import { nodeDisk } from '../../src/host/disk.js';
import { readSafetensors, writeSafetensors } from '../../src/run/checkpoint/safetensors.js';
import type { OptionValues } from '../../src/run/config/config.js';
import { checkpointIn, CLASSES, scatter } from './exported-checkpoint.js';

/** What the folder has to contain, as a word of its config.json, or the reason of the refusal. */
type Outcome = string | RegExp;

const ROWS: readonly (readonly [options: OptionValues, hf: Outcome, timm: Outcome, torchvision: Outcome])[] =
  [
    [{ gelu: 'erf' }, 'ViTForImageClassification', 'vit_base', 'VisionTransformer'],
    [{ gelu: 'tanh' }, 'gelu_new', 'gelu_tanh', /GELU/],
    [{ gelu: 'erf', preLogits: 24 }, /tanh layer/, /tanh layer/, 'representation_size'],
    [{ gelu: 'erf', pooling: 'average' }, /LayerNorm/, 'avg', /pooling/],
    [
      { gelu: 'erf', pooling: 'average', lastNorm: 'before-pooling' },
      'Dinov2ForImage',
      '"fc_norm": false',
      /pooling/,
    ],
    [{ gelu: 'erf', pooling: 'class-token-and-average' }, 'Dinov2ForImage', /not both/, /pooling/],
    [{ gelu: 'erf', lastNorm: 'after-pooling' }, /LayerNorm/, '"fc_norm": true', /lastNorm/],
    [{ gelu: 'erf', layerScale: 0.3 }, 'Dinov2ForImage', 'init_values', /LayerScale/],
    [{ gelu: 'erf', registers: 3 }, 'Dinov2WithRegisters', '"reg_tokens": 3', /registers/],
    [{ gelu: 'erf', registers: 4 }, 'Dinov2WithRegisters', '"reg_tokens": 4', /registers/],
    [
      { gelu: 'erf', registers: 4, positions: 'patches', layerScale: 0.3 },
      'Dinov2WithRegisters',
      'no_embed_class',
      /registers/,
    ],
    [
      { gelu: 'erf', registers: 4, pooling: 'average', lastNorm: 'before-pooling' },
      'Dinov2WithRegisters',
      '"reg_tokens": 4',
      /pooling/,
    ],
    [{ gelu: 'erf', distillation: true }, 'WithTeacher', 'distilled', /distillation/],
    [
      { gelu: 'erf', distillation: true, positions: 'patches', qkvBias: false },
      'WithTeacher',
      'distilled',
      /distillation/,
    ],
    [{ gelu: 'erf', distillation: true, registers: 2 }, /registers/, /registers/, /registers/],
    [{ gelu: 'erf', distillation: true, layerScale: 0.3 }, /LayerScale/, 'init_values', /distillation/],
    [{ gelu: 'erf', layerNormEpsilon: 1e-12 }, '1e-12', /epsilon/, /layerNormEpsilon/],
    [{ gelu: 'erf', qkvBias: false }, '"qkv_bias": false', '"qkv_bias": false', 'VisionTransformer'],
    [{ gelu: 'erf', positions: 'patches' }, 'ViTForImage', '"no_embed_class": true', 'VisionTransformer'],
  ];

for (const [options, ...outcomes] of ROWS) {
  test(`${JSON.stringify(options)} is exported exactly, or refused by its name`, async (t) => {
    const { dir, data, path } = await checkpointIn(t, options, scatter);
    for (const [at, to] of (['hf', 'timm', 'torchvision'] as const).entries()) {
      const outcome = outcomes[at]!;
      const out = join(dir, to);
      const exported = exportModel(path, { to, out, data, backend: 'wasm' });
      if (outcome instanceof RegExp) {
        await assert.rejects(exported, (error: Error & { code: string }) => {
          assert.equal(error.code, 'EXPORT_IMPOSSIBLE');
          assert.match(error.message, outcome);
          return true;
        });
        continue;
      }
      const { difference } = await exported;
      assert.ok(difference < 1e-5, `${to}: ${difference}`);
      const config = await nodeDisk.readText(join(out, 'config.json'));
      assert.ok(config.includes(outcome), `${to}: ${config}`);
    }
  });
}

test('a folder whose tensors have changed places is seen, because it is opened by its names alone', async (t) => {
  const { data, path, out } = await checkpointIn(t, { gelu: 'erf' }, scatter);
  await exportModel(path, { to: 'hf', out, data, backend: 'wasm' });
  const images = readdirSync(join(data, 'test', 'ant')).map((name) => `test/ant/${name}`);
  const compared = { root: data, samples: images.map((name) => ({ path: name, bytes: 0, label: 0 })) };
  const compute = { backend: 'wasm', onNote: () => undefined } as const;
  const before = await publishedLogits(out, CLASSES, compared, compute);
  const file = join(out, 'model.safetensors');
  const layer = 'vit.encoder.layer.0.attention.attention';
  const swapped = new Map([
    [`${layer}.query.weight`, `${layer}.key.weight`],
    [`${layer}.key.weight`, `${layer}.value.weight`],
    [`${layer}.value.weight`, `${layer}.query.weight`],
  ]);
  const tensors = [...(await readSafetensors(nodeDisk, file))].map(([name, tensor]) =>
    Object.assign({}, tensor, { name: swapped.get(name) ?? name }),
  );
  await writeSafetensors(nodeDisk, file, tensors, { format: 'pt' });
  const after = await publishedLogits(out, CLASSES, compared, compute);
  assert.ok(logitDifference(before, after) > 1e-3);
  const renamed = await publishedLogits(out, ['ant', 'bee', 'dog'], compared, compute);
  assert.equal(logitDifference(before, renamed), Infinity, 'a class that the folder does not name is seen');
});
