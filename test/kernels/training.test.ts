/** Whole training steps on the fused kernels: bits, precision, memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelSpec } from '../../src/run/model/model-spec.js';
import { parameterLayout } from '../../src/run/model/parameter-layout.js';
import { loadKernels } from '../../src/kernels/addon.js';
import { initialWeights } from '../../src/nn/vit/initialisation.js';
import { FIXTURES, readFixture } from '../nn/fixture.js';
import { relativeError } from '../nn/relative-error.js';
import { EMULATED } from './kernel-settings.js';
import type { ComputeEngine } from '../../src/nn/engine/engine.js';
import { batchOf, engineWith, liveWeights, SPEC, stepOf, type Step } from '../nn/training-setup.js';

const { kernels, ...rest } = loadKernels();
const skip = 'reason' in rest ? rest.reason : false;

const PARAMETERS = parameterLayout(SPEC).length;
const weights = liveWeights();
const batch = batchOf(6);
/** Features of published models, together as far as they go together. */
const FEATURED: readonly ModelSpec[] = [
  { ...SPEC, pooling: 'average', lastNorm: 'after-pooling', layerScale: 0.3, registers: 3, qkvBias: false },
  { ...SPEC, pooling: 'class-token-and-average', layerScale: 0.3, registers: 2, positions: 'patches' },
  { ...SPEC, distillation: true, positions: 'patches', layerNormEpsilon: 1e-3 },
];
const native = { backend: 'native', dropout: 0.1, labelSmoothing: 0.1 } as const;

const DROP_PATH = 0.5;

async function liveStep(engine: ComputeEngine, spec: ModelSpec): Promise<Step> {
  engine.loadWeights(spec === SPEC ? weights : liveWeights(spec));
  return stepOf(engine, batch, parameterLayout(spec).length, { step: 2, microBatch: 1 });
}

for (const precision of ['fp32', 'bf16'] as const) {
  for (const [i, spec] of [SPEC, ...FEATURED].entries()) {
    const model = i === 0 ? 'the paper’s model' : `features ${i}`;
    test(
      `two threads give the bits of one, at every level, in ${precision} (${model})`,
      { skip },
      async () => {
        for (const level of kernels!.levels()) {
          const steps = [];
          for (const threads of [1, 2, 1]) {
            const engine = await engineWith({ ...native, spec, precision, threads, dropPath: DROP_PATH });
            kernels!.configure({ level });
            steps.push(await liveStep(engine, spec));
            engine.dispose();
          }
          assert.deepEqual(steps[1], steps[0], `${level}, two threads`);
          assert.deepEqual(steps[2], steps[0], `${level}, again`);
        }
        kernels!.configure({ level: kernels!.levels().at(-1)! });
      },
    );
  }
}

for (const spec of [SPEC, ...FEATURED]) {
  const model = `${spec.pooling}, ${spec.registers} registers`;
  test(
    `fused and composed parts give the same loss and gradient, dropout and drop path included (${model})`,
    { skip },
    async () => {
      const steps = [];
      for (const composed of [false, true]) {
        const engine = await engineWith({ ...native, spec, composed, dropPath: DROP_PATH });
        steps.push(await liveStep(engine, spec));
        engine.dispose();
      }
      const [fused, plain] = steps;
      assert.ok(Math.abs(fused!.lossSum - plain!.lossSum) < 1e-5 * plain!.lossSum);
      assert.ok(relativeError(fused!.gradient, plain!.gradient) < 1e-5);
      assert.equal(fused!.correct, plain!.correct);
    },
  );

  test(`blocks that are computed again in the backward pass change no bit (${model})`, { skip }, async () => {
    const steps = [];
    for (const recompute of [false, true]) {
      const engine = await engineWith({ ...native, spec, recompute, dropPath: DROP_PATH });
      steps.push(await liveStep(engine, spec));
      engine.dispose();
    }
    assert.deepEqual(steps[1], steps[0]);
  });
}

for (const name of FIXTURES) {
  test(`bf16 stays within its rounding of PyTorch's double precision (${name})`, { skip }, async () => {
    const fixture = readFixture(name);
    const { spec, smoothing: labelSmoothing } = fixture;
    const engine = await engineWith({ backend: 'native', spec, labelSmoothing, precision: 'bf16' });
    engine.loadWeights(fixture.weights);
    const gradient = new Float32Array(fixture.weights.length);
    const expected = new Float32Array(fixture.weights.length);
    const micro = { patches: fixture.tensor('patches'), labels: fixture.labels };
    const { losses } = await engine.trainMicroBatch(micro, { step: 0, microBatch: 0 }, (slot, values) => {
      gradient.set(values.hostValues(), slot.offset);
      expected.set(fixture.tensor(`gradient:${slot.name}`), slot.offset);
    });
    engine.dispose();
    // Half a unit in bf16's last place is 2e-3; it adds up over the layers.
    assert.ok(relativeError(losses, fixture.tensor('losses')) < 1e-2);
    assert.ok(relativeError(gradient, expected) < 3e-2, String(relativeError(gradient, expected)));
  });
}

/** Of fp32 and bf16 beside each other. */
const FOLLOWED = EMULATED ? 12 : 60;

test(`${FOLLOWED} steps in bf16 follow the loss curve of fp32`, { skip }, async () => {
  const curves = [];
  for (const precision of ['fp32', 'bf16'] as const) {
    const engine = await engineWith({ ...native, precision });
    const learned = initialWeights(SPEC, 'vit-jax', 1);
    const losses: number[] = [];
    for (let step = 0; step < FOLLOWED; step++) {
      engine.loadWeights(learned);
      const { lossSum, gradient } = await stepOf(engine, batch, PARAMETERS, { step, microBatch: 0 });
      losses.push(lossSum / 6);
      for (let i = 0; i < PARAMETERS; i++) learned[i] = learned[i]! - 0.02 * gradient[i]!;
    }
    engine.dispose();
    curves.push(losses);
  }
  const [fp32, bf16] = curves;
  assert.ok(fp32!.at(-1)! < (EMULATED ? 1 : 0.7) * fp32![0]!, 'it learns');
  for (const [step, loss] of fp32!.entries()) {
    assert.ok(Math.abs(bf16![step]! - loss) < 0.05, `step ${step}: ${bf16![step]} in bf16, ${loss} in fp32`);
  }
});

/** The emulator is slow, and a block that is left over shows after one step. */
const STEPS = EMULATED ? 20 : 1000;

test(`${STEPS} steps leave no block behind and the process at its size`, { skip }, async () => {
  const engine = await engineWith({ ...native, spec: { ...SPEC, layers: 1 } });
  const parameters = parameterLayout({ ...SPEC, layers: 1 }).length;
  const flat = liveWeights({ ...SPEC, layers: 1 });
  const train = async (steps: number): Promise<void> => {
    for (let step = 0; step < steps; step++) {
      engine.loadWeights(flat);
      await stepOf(engine, batch, parameters, { step, microBatch: 0 });
    }
  };
  await train(STEPS / 10);
  const before = kernels!.memory();
  const residentBefore = process.memoryUsage.rss();
  await train(STEPS);
  const after = kernels!.memory();
  assert.equal(after.blocksInUse, before.blocksInUse);
  assert.equal(after.bytesInUse, before.bytesInUse);
  assert.equal(after.bytesReserved, before.bytesReserved);
  // Garbage that was not collected yet moves it by some MB; a lost [T, D] tensor a step would be 13 MB in a thousand.
  const grownMb = (process.memoryUsage.rss() - residentBefore) / 2 ** 20;
  // The thread sanitizer notes every access in memory of its own, which is not ours to count.
  if (process.env['TSAN_OPTIONS'] === undefined) assert.ok(grownMb < 64, `${grownMb} MB more`);
  engine.dispose();
});
