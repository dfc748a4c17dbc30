/** What the head sees of an image is the same in every micro-batch, and the head learns the same from it as from the image. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { ModelFeatures } from '../../src/run/model/model-features.js';
import { headInputs, patchCount, patchLength, type ModelSpec } from '../../src/run/model/model-spec.js';
import { tf } from '../../src/nn/tfjs.js';
import type { ComputeEngine } from '../../src/nn/engine/engine.js';
import type { PatchInput } from '../../src/nn/model-input.js';
import { FAST_BACKENDS, TESTED_BACKENDS, testOnBackends } from './tested-backends.js';
import { batchOf, engineWith, liveWeights, SPEC } from './training-setup.js';

/** So many tokens that a gemm cuts its sums over them. */
const LONG = { layers: 1, imageSize: 72 };
const AVERAGE: Partial<ModelFeatures> = { pooling: 'average', lastNorm: 'after-pooling', layerScale: 0.1 };
const SHAPES: readonly [string, ModelSpec][] = [
  ['class token', SPEC],
  ['average, LayerScale', { ...SPEC, ...LONG, ...AVERAGE }],
  ['class token and average, registers', { ...SPEC, pooling: 'class-token-and-average', registers: 2 }],
  ['two heads', { ...SPEC, distillation: true }],
  ['pre-logits', { ...SPEC, preLogits: 24 }],
];
const IMAGES = 7;

function chosen(spec: ModelSpec, images: readonly number[]): PatchInput {
  const { patches } = batchOf(IMAGES, spec);
  const length = patchCount(spec) * patchLength(spec);
  const parts = images.map((image) => patches.subarray(image * length, (image + 1) * length));
  return { patches: Float32Array.from(parts.flatMap((part) => [...part])) };
}

async function withEngine(
  backend: string,
  spec: ModelSpec,
  body: (engine: ComputeEngine) => Promise<void>,
): Promise<void> {
  for (const precision of backend === 'native' ? (['fp32', 'bf16'] as const) : (['fp32'] as const)) {
    const engine = await engineWith({ backend, spec, precision, freeze: 'backbone' });
    engine.loadWeights(liveWeights(spec));
    const before = tf.memory().numTensors;
    await body(engine);
    assert.equal(tf.memory().numTensors, before, 'tensors left behind');
    engine.dispose();
  }
}

for (const [name, spec] of SHAPES) {
  const width = headInputs(spec);
  const backends = spec === SPEC ? TESTED_BACKENDS : FAST_BACKENDS;
  testOnBackends(
    `${name}: an image's features do not depend on the micro-batch`,
    (backend) =>
      withEngine(backend, spec, async (engine) => {
        const together = await engine.features(batchOf(IMAGES, spec));
        assert.equal(together.length, IMAGES * width);
        for (const images of [[3], [6, 0], [5, 4, 3, 2, 1], [1, 1, 1, 2]]) {
          const features = await engine.features(chosen(spec, images));
          for (const [row, image] of images.entries()) {
            const expected = together.subarray(image * width, (image + 1) * width);
            assert.deepEqual(features.subarray(row * width, (row + 1) * width), expected, `image ${image}`);
          }
        }
      }),
    backends,
  );

  testOnBackends(
    `${name}: the head learns and judges from features as from images`,
    (backend) =>
      withEngine(backend, spec, async (engine) => {
        const images = batchOf(IMAGES, spec);
        const features = { features: await engine.features(images), labels: images.labels };
        const [ofImages, ofFeatures] = [images, features].map(async (batch) => {
          const gradients = new Map<string, Float32Array>();
          const result = await engine.trainMicroBatch(batch, { step: 4, microBatch: 1 }, (slot, gradient) => {
            gradients.set(slot.name, gradient.hostValues().slice());
          });
          return { result, gradients, judged: await engine.evaluateMicroBatch(batch) };
        });
        assert.deepEqual(await ofFeatures, await ofImages);
        assert.ok((await ofImages)!.gradients.has('head.weight'));
      }),
    backends,
  );
}

test('features that are not those of the model, or of a model whose blocks are trained, are an error', async () => {
  const engine = await engineWith({ freeze: 'backbone' });
  engine.loadWeights(liveWeights());
  const labels = new Int32Array(2);
  const train = (of: ComputeEngine, features: Float32Array) =>
    of.trainMicroBatch({ features, labels }, { step: 0, microBatch: 0 }, () => undefined);
  await assert.rejects(train(engine, new Float32Array(2 * SPEC.hidden - 1)), /63 values.*2 images, 32 each/);
  engine.dispose();
  const tuned = await engineWith({ freeze: '1' });
  tuned.loadWeights(liveWeights());
  await assert.rejects(train(tuned, new Float32Array(2 * SPEC.hidden)), /more is trained than the head/);
  tuned.dispose();
});
