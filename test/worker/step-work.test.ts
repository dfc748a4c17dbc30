/** A worker's part of a step on real images, with the gradient sum it keeps from plan to plan. */
import { systemClock } from '../../src/host/clock.js';
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { resolveConfig } from '../../src/run/config/config.js';
import { scanDataset } from '../../src/run/dataset/dataset-scan.js';
import { parameterLayout, type ParameterLayout } from '../../src/run/model/parameter-layout.js';
import type { Body } from '../../src/wire/codec.js';
import { createAccumulator } from '../../src/collective/sums/accumulator.js';
import { imageBatches } from '../../src/worker/batches/micro-batches.js';
import { Loader } from '../../src/worker/data/loader.js';
import { StatusBoard } from '../../src/worker/link/status-board.js';
import { StepWork } from '../../src/worker/step-work.js';
import { temporaryFolder, writeDataset } from './data/temporary-files.js';
import { engineWith, liveWeights, SPEC } from '../nn/training-setup.js';

const LAYOUT = parameterLayout(SPEC);

/** @param known the layout that the work goes by */
async function workOf(t: TestContext, known: ParameterLayout): Promise<StepWork> {
  const dir = await temporaryFolder(t);
  await writeDataset(dir, ['ant', 'bee', 'cat', 'dog'], { train: 1, test: 1 });
  const { train, test: testSplit } = await scanDataset(dir);
  const config = resolveConfig({
    flags: { data: dir, imageSize: 32, batch: 4, microBatch: 2, backend: 'wasm' },
  });
  const splits = { train: train.samples, test: testSplit.samples };
  const source = { root: dir, splits, transform: config, cacheBytes: 2 ** 20 };
  const loader = new Loader(source, { maxAhead: 1, timeoutMs: 20_000 });
  t.after(() => loader.close());
  const engine = await engineWith();
  t.after(() => engine.dispose());
  engine.loadWeights(liveWeights());
  const accumulator = createAccumulator('exact', LAYOUT, new SharedArrayBuffer(4 * LAYOUT.length));
  return new StepWork({
    clock: systemClock,
    config,
    layout: known,
    status: new StatusBoard(),
    batches: imageBatches(loader, engine),
    accumulator,
  });
}

const PLAN: Body<'stepPlan'> = {
  step: 0,
  generation: 1,
  epoch: 0,
  learningRate: 1e-3,
  samples: 4,
  ring: [],
  statePeers: [],
  prefetch: [],
  prefetchEpoch: 0,
  exponents: LAYOUT.slots.map(() => 20),
  microBatches: [0, 1].map((index) => ({ index, samples: [2 * index, 2 * index + 1] })),
};
const uninterrupted = (): boolean => false;

test('a sum holds the micro-batches that were added to it', async (t) => {
  const work = await workOf(t, LAYOUT);
  await work.compute(PLAN, uninterrupted);
  assert.deepEqual([...work.held!.microBatches], [0, 1]);
  assert.equal(work.report().samples, 4);
});

test('a sum with a possible part of a failed micro-batch is not offered', async (t) => {
  // The first tensor's gradient comes last: by then all others are in the sum.
  const work = await workOf(t, { ...LAYOUT, slots: LAYOUT.slots.slice(1) });
  await assert.rejects(work.compute(PLAN, uninterrupted), { code: 'INTERNAL' });
  assert.equal(work.held, null);
});
