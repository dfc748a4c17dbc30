/** An exported model is opened again as what it is: other programs' weights. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { evaluate } from '../../src/api/evaluate.js';
import { exportModel } from '../../src/api/export-model.js';
import { openTrainedModel } from '../../src/api/open-trained-model.js';
import { predict } from '../../src/api/predict.js';
import { nodeDisk } from '../../src/host/disk.js';
import { readSafetensors, writeSafetensors } from '../../src/run/checkpoint/safetensors.js';
import { checkpointIn, CLASSES, scatter } from './exported-checkpoint.js';

const IMAGES_OF_RUN = { interpolation: 'bicubic', mean: '0.4,0.5,0.6', std: '0.2', cropFraction: 0.9 };

async function judged(t: TestContext, path: string, data: string) {
  const model = await openTrainedModel(path, { backend: 'wasm' });
  t.after(() => model.close());
  const images = CLASSES.flatMap((name) => [0, 1, 2].map((i) => join(data, 'test', name, `00${i}.png`)));
  const logits: number[] = [];
  for await (const prediction of predict(model, images)) {
    if (prediction.kind === 'broken') throw prediction.error;
    logits.push(...prediction.logits);
  }
  return { model, logits, figures: await evaluate(model, { data }) };
}

for (const to of ['hf', 'timm', 'torchvision'] as const) {
  test(`a folder for ${to} has the logits, classes and figures of the run it came from`, async (t) => {
    const options = Object.assign({ gelu: 'erf' }, IMAGES_OF_RUN);
    const { data, path, out } = await checkpointIn(t, options, scatter);
    await exportModel(path, { to, out, data, backend: 'wasm' });
    const own = await judged(t, path, data);
    const again = await judged(t, out, data);
    assert.ok(new Set(own.logits.map((x) => x.toFixed(3))).size > 5, 'these images tell models apart');
    const largest = Math.max(...own.logits.map(Math.abs));
    for (const [i, logit] of own.logits.entries()) {
      assert.ok(Math.abs(logit - again.logits[i]!) <= 1e-6 * largest, `${logit} and ${again.logits[i]}`);
    }
    assert.deepEqual(again.model.classes, CLASSES);
    assert.equal(again.figures.accuracy, own.figures.accuracy);
    await assert.rejects(evaluate(again.model), { code: 'MODEL_WITHOUT_DATA' });
  });
}

test('labels follow the names of the classes, whatever order config.json has them in', async (t) => {
  const { data, path, out } = await checkpointIn(t, { gelu: 'erf' }, scatter);
  await exportModel(path, { to: 'hf', out, data, backend: 'wasm' });
  const file = join(out, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as { id2label: object };
  config.id2label = { 0: 'cat', 1: 'ant', 2: 'bee' };
  writeFileSync(file, JSON.stringify(config));
  const { model, logits, figures } = await judged(t, out, data);
  let right = 0;
  for (const [i, name] of CLASSES.flatMap((of) => [of, of, of]).entries()) {
    const ofImage = logits.slice(3 * i, 3 * i + 3);
    if (model.classes[ofImage.indexOf(Math.max(...ofImage))] === name) right++;
  }
  assert.equal(figures.accuracy, right / 9);
  assert.equal((await evaluate(model, { data: join(data, 'test') })).accuracy, figures.accuracy);
});

test("torchvision's layer before the head is part of the model", async (t) => {
  const images = { mean: '0.485,0.456,0.406', std: '0.229,0.224,0.225', cropFraction: 0.875 };
  const options = Object.assign({ gelu: 'erf', preLogits: 24 }, images);
  const { data, path, out } = await checkpointIn(t, options, scatter);
  await exportModel(path, { to: 'torchvision', out, data, backend: 'wasm' });
  const logitsOf = async (place: string): Promise<readonly number[]> => {
    const model = await openTrainedModel(place, { backend: 'wasm' });
    t.after(() => model.close());
    for await (const found of predict(model, [join(data, 'test', 'ant', '000.png')])) {
      if (found.kind === 'predicted') return found.logits;
    }
    throw new Error('nothing was predicted');
  };
  const own = await logitsOf(path);
  assert.ok(own.some((logit) => Math.abs(logit) > 1e-3));
  assert.deepEqual(await logitsOf(out), own);
});

test('weights without a classifier are refused', async (t) => {
  const { data, path, out } = await checkpointIn(t, { gelu: 'erf' }, scatter);
  await exportModel(path, { to: 'timm', out, data, backend: 'wasm' });
  const file = join(out, 'model.safetensors');
  const tensors = [...(await readSafetensors(nodeDisk, file))].filter(([name]) => !name.startsWith('head.'));
  await writeSafetensors(
    nodeDisk,
    file,
    tensors.map(([name, tensor]) => Object.assign({ name }, tensor)),
  );
  await assert.rejects(openTrainedModel(out, { backend: 'wasm' }), { code: 'WEIGHTS_WITHOUT_HEAD' });
});
