/** What training keeps on a GPU; on the emulator where it is built, or on the addon that VITRAIL_CUDA names. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { resolveConfig } from '../../src/run/config/config.js';
import { copyRanges, deviceLayout } from '../../src/run/model/device-layout.js';
import { parameterLayout } from '../../src/run/model/parameter-layout.js';
import { trainedLayout } from '../../src/run/model/trained-parameters.js';
import { vectorOf } from '../../src/collective/sums/vector.js';
import { hostTraining } from '../../src/worker/training/host-training.js';
import { DeviceAccumulator } from '../../src/collective/sums/device-accumulator.js';
import { deviceStateBytes } from '../../src/worker/training/device-state.js';
import { DeviceTraining } from '../../src/worker/training/device-training.js';
import { initialiseState } from '../../src/worker/optimizer/optimizer.js';
import { allocateTrainingState } from '../../src/worker/training/training-state.js';
import { batchOf, engineWith, liveWeights, SPEC } from '../nn/training-setup.js';

process.env['VITRAIL_CUDA'] ??= resolve('native/build/vitrail-emulated.node');
const skip = existsSync(process.env['VITRAIL_CUDA']) ? false : 'the emulator is not built';

/** Three classes: a head that leaves a gap behind it. */
const ODD = { ...SPEC, classes: 3 };
const LAYOUT = parameterLayout(ODD);

test('copies cover every parameter once, in one piece where nothing lies between', () => {
  const { offsets } = deviceLayout(LAYOUT);
  const ranges = copyRanges(LAYOUT);
  const there = new Map<number, number>();
  for (const { offset, hostOffset, length } of ranges) {
    for (let i = 0; i < length; i++) there.set(hostOffset + i, offset + i);
  }
  assert.equal(there.size, LAYOUT.length);
  for (const [i, slot] of LAYOUT.slots.entries()) {
    assert.equal(there.get(slot.offset), offsets[i], slot.name);
    assert.equal(there.get(slot.offset + slot.length - 1), offsets[i]! + slot.length - 1, slot.name);
  }
  const gaps = LAYOUT.slots.slice(0, -1).filter(({ length }) => length % 128 !== 0).length;
  assert.equal(ranges.length, 1 + gaps);
  assert.deepEqual(copyRanges({ slots: [], length: 0 }), []);
});

for (const precision of ['fp32', 'bf16'] as const) {
  for (const optimizer of ['adamw', 'sgd'] as const) {
    test(
      `a GPU holds what is said, and gives it all back (${optimizer}, ${precision})`,
      { skip },
      async () => {
        const emaDecay = optimizer === 'sgd' ? 0.5 : 0;
        const flags = {
          data: 'none',
          optimizer,
          emaDecay,
          precision,
          backend: 'native',
          batch: 4,
          microBatch: 4,
        };
        const config = resolveConfig({ flags });
        const engine = await engineWith({ backend: 'native', gpu: 0, spec: ODD, precision });
        const kernels = engine.gpu!;
        const state = allocateTrainingState(config, LAYOUT);
        const before = kernels.memory();
        const training = new DeviceTraining({ config, layout: LAYOUT, state, engine }, kernels);
        const { length } = deviceLayout(LAYOUT);
        const weights = length * (precision === 'bf16' ? 6 : 4);
        const statistics = 8 * LAYOUT.slots.length;
        const held = kernels.memory().bytesInUse - before.bytesInUse;
        assert.equal(held, deviceStateBytes(config, LAYOUT) + weights + statistics);
        await training.reload();
        training.dispose();
        assert.deepEqual(kernels.memory().blocksInUse, before.blocksInUse);
        engine.dispose();
      },
    );
  }

  test(`weights and their moving average are shown in turns (${precision})`, { skip }, async () => {
    const flags = { data: 'none', emaDecay: 0.9, precision, backend: 'native', batch: 4, microBatch: 4 };
    const config = resolveConfig({ flags });
    const engine = await engineWith({ backend: 'native', gpu: 0, spec: ODD, precision });
    const state = allocateTrainingState(config, LAYOUT);
    state.weights.set(liveWeights(ODD));
    initialiseState(config, state.moments, state.weights);
    state.moments.ema!.forEach((value, i, ema) => (ema[i] = 0.5 * value));
    const batch = batchOf(6, ODD);
    const expected = [];
    for (const flat of [state.weights, state.moments.ema!]) {
      engine.loadWeights(flat);
      expected.push(await engine.evaluateMicroBatch(batch));
    }
    assert.notDeepEqual(expected[0]!.losses, expected[1]!.losses);
    const training = new DeviceTraining({ config, layout: LAYOUT, state, engine }, engine.gpu!);
    await training.reload();
    const { blocksInUse } = engine.gpu!.memory();
    for (const which of [0, 1, 0] as const) {
      training.show(which === 0 ? 'weights' : 'ema');
      assert.deepEqual(await engine.evaluateMicroBatch(batch), expected[which], `round of ${which}`);
    }
    assert.equal(engine.gpu!.memory().blocksInUse, blocksInUse);
    training.dispose();
    engine.dispose();
  });
}

test('sums or exponents of another number are refused, as on the host', { skip }, async () => {
  const engine = await engineWith({ backend: 'native', gpu: 0, spec: ODD });
  const kernels = engine.gpu!;
  const sums = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length));
  assert.throws(() => new DeviceAccumulator(kernels, LAYOUT, 'exact', sums(LAYOUT.length - 1)), {
    code: 'INTERNAL',
    message: /sums for/,
  });
  const accumulator = new DeviceAccumulator(kernels, LAYOUT, 'exact', sums(LAYOUT.length));
  assert.throws(() => accumulator.begin(new Int32Array(1), 1), {
    code: 'INTERNAL',
    message: /1 exponents for/,
  });
  accumulator.dispose();
  engine.dispose();
});

for (const optimizer of ['adamw', 'sgd'] as const) {
  test(
    `frozen parameters and rates of layers on a GPU give the bits of the host (${optimizer})`,
    { skip },
    async () => {
      const flags = {
        data: 'none',
        backend: 'native',
        model: 'micro/8',
        optimizer,
        freeze: '1',
        layerDecay: 0.5,
        headLr: 0.01,
        emaDecay: 0.9,
        clipNorm: 0,
        batch: 4,
        microBatch: 4,
      };
      const config = resolveConfig({ flags });
      const engine = await engineWith({ backend: 'native', gpu: 0, spec: ODD });
      const trained = trainedLayout(LAYOUT, config.freeze);
      const states = [];
      for (const onGpu of [true, false]) {
        const state = allocateTrainingState(config, LAYOUT);
        state.weights.set(liveWeights(ODD));
        initialiseState(config, state.moments, state.weights, trained.length);
        const training = onGpu
          ? new DeviceTraining({ config, layout: LAYOUT, state, engine }, engine.gpu!)
          : hostTraining(
              { config, layout: LAYOUT, state, engine: { loadWeights: () => undefined } },
              undefined,
            );
        await training.reload();
        const reduced = vectorOf('exact', state.shared.reduced);
        for (const step of [0, 1]) {
          for (let i = 0; i < reduced.length; i++) reduced[i] = ((i * 7919 + step) % 2001) - 1000;
          const exponents = trained.slots.map(() => 12);
          await training.update({ exponents, samples: 4, step, learningRate: config.lr });
        }
        states.push({ weights: state.weights.slice(), ...state.moments });
        training.dispose();
      }
      assert.deepEqual(states[0], states[1]);
      const frozen = LAYOUT.length - trained.length;
      assert.deepEqual(states[0]!.weights.slice(0, frozen), liveWeights(ODD).slice(0, frozen));
      assert.notDeepEqual(states[0]!.weights.slice(frozen), liveWeights(ODD).slice(frozen));
      engine.dispose();
    },
  );
}
