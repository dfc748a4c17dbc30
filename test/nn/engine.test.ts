/** The engine trains, is a pure function of what it is given, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { tf } from '../../src/nn/tfjs.js';
import { parameterLayout } from '../../src/run/model/parameter-layout.js';
import { initialWeights } from '../../src/nn/vit/initialisation.js';
import { EMULATED } from '../kernels/kernel-settings.js';
import { relativeError } from './relative-error.js';
import { FAST_BACKENDS, testOnBackends } from './tested-backends.js';
import { batchOf, engineWith, liveWeights, SPEC, stepOf } from './training-setup.js';

const PARAMETERS = parameterLayout(SPEC).length;
const weights = liveWeights();
const batch = batchOf(6);

/** The emulator takes half a second a step: that gradients are right there, agreement with PyTorch shows. */
const LEARNING = EMULATED ? [] : FAST_BACKENDS;

testOnBackends(
  'plain gradient steps from initial weights learn a fixed batch by heart',
  async (backend) => {
    const engine = await engineWith({ backend, dropout: 0.05 });
    const learned = initialWeights(SPEC, 'vit-jax', 1);
    const losses: number[] = [];
    for (let step = 0; step < 60; step++) {
      engine.loadWeights(learned);
      const { lossSum, gradient } = await stepOf(engine, batch, PARAMETERS, { step, microBatch: 0 });
      losses.push(lossSum / 6);
      for (let i = 0; i < PARAMETERS; i++) learned[i] = learned[i]! - 0.02 * gradient[i]!;
    }
    engine.loadWeights(learned);
    const { losses: final, correct, predictions } = await engine.evaluateMicroBatch(batch);
    engine.dispose();
    assert.ok(Math.abs(losses[0]! - Math.log(4)) < 1e-6, 'a zero head starts at log K');
    assert.ok(Math.max(...final) < 0.05, `final losses ${final.join(' ')}`);
    assert.equal(correct, 6);
    assert.deepEqual(predictions, batch.labels);
  },
  LEARNING,
);

testOnBackends(
  'training and evaluation leave no tensor behind, with and without recomputation',
  async (backend) => {
    for (const recompute of [false, true]) {
      const start = tf.memory().numTensors;
      const engine = await engineWith({ backend, recompute, dropout: 0.1 });
      engine.loadWeights(weights);
      const loaded = tf.memory().numTensors;
      await stepOf(engine, batch, PARAMETERS);
      await engine.evaluateMicroBatch(batch);
      await engine.predict(batch);
      engine.loadWeights(weights);
      assert.equal(tf.memory().numTensors, loaded);
      engine.dispose();
      assert.equal(tf.memory().numTensors, start);
    }
  },
);

testOnBackends('recomputation changes no bit of loss and gradient, dropout included', async (backend) => {
  const results = [];
  for (const recompute of [false, true]) {
    const engine = await engineWith({ backend, recompute, dropout: 0.2, labelSmoothing: 0.1 });
    engine.loadWeights(weights);
    results.push(await stepOf(engine, batch, PARAMETERS, { step: 3, microBatch: 1 }));
    engine.dispose();
  }
  assert.deepEqual(results[0], results[1]);
});

testOnBackends('recomputation holds the activations of one block, not of all', async (backend) => {
  const deep = { ...SPEC, layers: 6 };
  const activations = [];
  for (const recompute of [false, true]) {
    const engine = await engineWith({ backend, recompute, spec: deep });
    engine.loadWeights(liveWeights(deep));
    const loaded = tf.memory().numBytes;
    let peak = 0;
    await engine.trainMicroBatch(batch, { step: 0, microBatch: 0 }, () => {
      peak = Math.max(peak, tf.memory().numBytes - loaded);
    });
    activations.push(peak);
    engine.dispose();
  }
  // Fused parts keep less to begin with.
  const share = backend === 'native' ? 0.5 : 0.4;
  assert.ok(activations[1]! < share * activations[0]!, activations.join(' bytes, with recomputation '));
});

testOnBackends(
  'gradients come from the head to the embedding, one callback for each parameter',
  async (backend) => {
    const engine = await engineWith({ backend });
    engine.loadWeights(weights);
    const names: string[] = [];
    const bytes: number[] = [];
    await engine.trainMicroBatch(batch, { step: 0, microBatch: 0 }, ({ name }) => {
      names.push(name);
      bytes.push(tf.memory().numBytes);
    });
    engine.dispose();
    const layers = names.map((name) => /^(head|norm|blocks\.\d)/.exec(name)?.[0] ?? 'embedding');
    assert.deepEqual([...new Set(layers)], ['head', 'norm', 'blocks.1', 'blocks.0', 'embedding']);
    const expected = parameterLayout(SPEC).slots.map((slot) => slot.name);
    assert.deepEqual([...names].sort(), expected.sort());
    assert.ok(bytes.at(-1)! < 0.5 * bytes[0]!, 'activations are freed on the way');
  },
);

testOnBackends(
  'dropout follows from seed, step and micro-batch alone',
  async (backend) => {
    const losses = new Map<string, number>();
    for (const seed of [5, 6]) {
      const engine = await engineWith({ backend, dropout: 0.2, seed });
      engine.loadWeights(weights);
      for (const step of [0, 1]) {
        for (const microBatch of [0, 1]) {
          const first = await stepOf(engine, batch, PARAMETERS, { step, microBatch });
          const again = await stepOf(engine, batch, PARAMETERS, { step, microBatch });
          assert.deepEqual(first, again);
          losses.set(`${seed} ${step} ${microBatch}`, first.lossSum);
        }
      }
      engine.dispose();
    }
    assert.equal(new Set(losses.values()).size, losses.size, 'all masks differ');
  },
  FAST_BACKENDS,
);

testOnBackends('a micro-batch gives the gradient of the sum over its samples', async (backend) => {
  const engine = await engineWith({ backend });
  engine.loadWeights(weights);
  const whole = await stepOf(engine, batch, PARAMETERS);
  const sum = new Float64Array(PARAMETERS);
  let lossSum = 0;
  const perImage = batch.patches.length / 6;
  for (let i = 0; i < 6; i++) {
    const one = {
      patches: batch.patches.subarray(i * perImage, (i + 1) * perImage),
      labels: batch.labels.subarray(i, i + 1),
    };
    const { lossSum: loss, gradient } = await stepOf(engine, one, PARAMETERS);
    lossSum += loss;
    gradient.forEach((value, at) => (sum[at] = sum[at]! + value));
  }
  engine.dispose();
  assert.ok(Math.abs(lossSum - whole.lossSum) < 1e-5 * lossSum);
  assert.ok(relativeError(whole.gradient, sum) < 1e-5);
});

testOnBackends('evaluation knows neither dropout nor label smoothing', async (backend) => {
  const plain = await engineWith({ backend });
  plain.loadWeights(weights);
  const expected = await plain.evaluateMicroBatch(batch);
  const { lossSum, correct } = await stepOf(plain, batch, PARAMETERS);
  plain.dispose();
  const other = await engineWith({ backend, dropout: 0.5, labelSmoothing: 0.3, seed: 1 });
  other.loadWeights(weights);
  assert.deepEqual(await other.evaluateMicroBatch(batch), expected);
  other.dispose();
  assert.equal(
    expected.losses.reduce((sum, loss) => sum + loss, 0),
    lossSum,
  );
  assert.equal(expected.correct, correct);
});

testOnBackends('predictions are probabilities whose maximum is the evaluated class', async (backend) => {
  const engine = await engineWith({ backend });
  engine.loadWeights(weights);
  const { probabilities } = await engine.predict(batch);
  const { predictions } = await engine.evaluateMicroBatch(batch);
  engine.dispose();
  assert.equal(probabilities.length, 6 * SPEC.classes);
  for (let i = 0; i < 6; i++) {
    const row = [...probabilities.subarray(i * SPEC.classes, (i + 1) * SPEC.classes)];
    assert.ok(Math.abs(row.reduce((sum, p) => sum + p) - 1) < 1e-6);
    assert.equal(row.indexOf(Math.max(...row)), predictions[i]);
  }
});

testOnBackends('weights and patches may lie in shared memory', async (backend) => {
  const engine = await engineWith({ backend });
  engine.loadWeights(weights);
  const expected = await engine.predict(batch);
  const shared = new Float32Array(new SharedArrayBuffer(4 * (PARAMETERS + 3)), 4, PARAMETERS);
  const patches = new Float32Array(new SharedArrayBuffer(batch.patches.byteLength));
  patches.set(batch.patches);
  engine.loadWeights(shared);
  assert.notDeepEqual(await engine.predict({ patches }), expected, 'all weights are zero');
  shared.set(weights);
  engine.loadWeights(shared);
  assert.deepEqual(await engine.predict({ patches }), expected);
  engine.dispose();
});

testOnBackends('misuse is refused with what is wrong', async (backend) => {
  const engine = await engineWith({ backend });
  await assert.rejects(async () => engine.predict(batch), { code: 'INTERNAL', message: /no weights yet/ });
  assert.throws(() => engine.loadWeights(weights.subarray(1)), {
    code: 'INTERNAL',
    message: new RegExp(`${PARAMETERS - 1} weights for a model of ${PARAMETERS} parameters`),
  });
  engine.loadWeights(weights);
  const start = tf.memory().numTensors;
  const ragged = { ...batch, patches: batch.patches.subarray(1) };
  const badLabel = { ...batch, labels: Int32Array.of(0, 1, 2, 3, 4, 0) };
  const none = { patches: new Float32Array(0), labels: new Int32Array(0) };
  await assert.rejects(async () => engine.evaluateMicroBatch(ragged), {
    code: 'INTERNAL',
    message: /patch values/,
  });
  await assert.rejects(async () => engine.predict(ragged), { code: 'INTERNAL', message: /patch values/ });
  await assert.rejects(async () => stepOf(engine, ragged, PARAMETERS), {
    code: 'INTERNAL',
    message: /patch values/,
  });
  await assert.rejects(async () => stepOf(engine, none, PARAMETERS), {
    code: 'INTERNAL',
    message: /0 patch values/,
  });
  await assert.rejects(async () => stepOf(engine, badLabel, PARAMETERS), {
    code: 'INTERNAL',
    message: /label 4/,
  });
  assert.equal(tf.memory().numTensors, start, 'a refused batch leaves nothing behind');
  engine.dispose();
});
