/** The model computes what torchvision's and timm's VisionTransformer compute: logits, loss and every gradient. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ComputeEngine } from '../../src/nn/engine/engine.js';
import type { EngineOptions } from '../../src/nn/engine/engine-options.js';
import { FIXTURES, readFixture, type Fixture } from './fixture.js';
import { norm, relativeError, type Numbers } from './relative-error.js';
import { TESTED_BACKENDS } from './tested-backends.js';

const TOLERANCE = 1e-5;

async function engineFor(fixture: Fixture, options: Partial<EngineOptions>): Promise<ComputeEngine> {
  const engine = await ComputeEngine.create({
    backend: 'wasm',
    spec: fixture.spec,
    dropout: 0,
    labelSmoothing: fixture.smoothing,
    recompute: false,
    seed: 0,
    ...options,
  });
  engine.loadWeights(fixture.weights);
  return engine;
}

function agree(actual: Numbers, expected: Numbers, what: string): void {
  const error = relativeError(actual, expected);
  assert.ok(error < TOLERANCE, `${what}: relative error ${error}`);
}

for (const { backend, skip } of TESTED_BACKENDS) {
  for (const name of FIXTURES) {
    test(`${backend} agrees with PyTorch on loss and every gradient (${name})`, { skip }, async () => {
      const fixture = readFixture(name);
      const engine = await engineFor(fixture, { backend });
      const gradients = new Map<string, Float32Array>();
      const batch = { patches: fixture.tensor('patches'), labels: fixture.labels };
      const result = await engine.trainMicroBatch(batch, { step: 0, microBatch: 0 }, (slot, gradient) => {
        assert.ok(!gradients.has(slot.name), `${slot.name} came twice`);
        assert.equal(gradient.length, slot.length);
        gradients.set(slot.name, gradient.hostValues());
      });
      engine.dispose();

      const losses = fixture.tensor('losses');
      agree(result.losses, losses, 'losses');
      agree([result.lossSum], [losses.reduce((sum, loss) => sum + loss)], 'loss sum');
      for (const [slot, gradient] of gradients) {
        const expected = fixture.tensor(`gradient:${slot}`);
        if (!slot.endsWith('attn.qkv.bias')) {
          agree(gradient, expected, slot);
          continue;
        }
        // The same key bias for all tokens shifts every score of a row alike: its true gradient is zero.
        const third = expected.length / 3;
        agree(gradient.subarray(0, third), expected.subarray(0, third), `${slot}, queries`);
        agree(gradient.subarray(2 * third), expected.subarray(2 * third), `${slot}, values`);
        const keys = norm(gradient.subarray(third, 2 * third));
        assert.ok(keys < 1e-5 * norm(expected), `${slot}, keys: norm ${keys}`);
      }
      const missing = fixture.weights.length - [...gradients.values()].reduce((sum, g) => sum + g.length, 0);
      assert.equal(missing, 0, 'parameters without a gradient');
    });

    test(`${backend} agrees with PyTorch on logits and class probabilities (${name})`, { skip }, async () => {
      const fixture = readFixture(name);
      const engine = await engineFor(fixture, { backend });
      const { logits: own, probabilities } = await engine.predict({ patches: fixture.tensor('patches') });
      engine.dispose();

      const { classes } = fixture.spec;
      const logits = fixture.tensor('logits');
      for (let i = 0; i < fixture.labels.length; i++) {
        const row = logits.subarray(i * classes, (i + 1) * classes);
        const exponentials = Array.from(row, Math.exp);
        const sum = exponentials.reduce((total, value) => total + value);
        const expected = exponentials.map((value) => value / sum);
        agree(own.subarray(i * classes, (i + 1) * classes), row, `logits of sample ${i}`);
        agree(probabilities.subarray(i * classes, (i + 1) * classes), expected, `sample ${i}`);
      }
    });
  }
}
