import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { scanDataset } from '../../../src/run/dataset/dataset-scan.js';
import { VitrailError } from '../../../src/errors/errors.js';
import { decodeImage } from '../../../src/worker/data/image-decoder.js';
import { Loader, type LoaderOptions } from '../../../src/worker/data/loader.js';
import type { BatchRequest, BatchSource, MicroBatch } from '../../../src/worker/data/micro-batch.js';
import { augmentedView, plainPixels, type TransformSpec } from '../../../src/worker/data/transform.js';
import { preprocessing } from '../../run/model/preprocessing-options.js';
import { temporaryFolder, writeDataset } from './temporary-files.js';

const PAPER: TransformSpec = Object.assign(preprocessing('paper'), {
  imageSize: 8,
  cropMinArea: 0.05,
  seed: 4,
});

async function sourceIn(dir: string, changes: Partial<BatchSource> = {}): Promise<BatchSource> {
  const { train, test: testSplit } = await scanDataset(dir);
  const splits = { train: train.samples, test: testSplit.samples };
  return { root: dir, splits, transform: PAPER, cacheBytes: 2 ** 20, ...changes };
}

interface Rig {
  readonly dir: string;
  readonly source: BatchSource;
  readonly loader: Loader;
}

async function rig(
  context: TestContext,
  changes: Partial<BatchSource> = {},
  options: Partial<LoaderOptions> = {},
): Promise<Rig> {
  const dir = await temporaryFolder(context);
  await writeDataset(dir, ['ant', 'bee', 'cat'], { train: 4, test: 2 });
  const source = await sourceIn(dir, changes);
  const loader = new Loader(source, { maxAhead: 3, timeoutMs: 20_000, ...options });
  context.after(() => loader.close());
  return { dir, source, loader };
}

const train = (epoch: number, ...samples: number[]): BatchRequest => ({
  split: 'train',
  epoch,
  samples,
  augment: true,
});
const evaluate = (...samples: number[]): BatchRequest => ({
  split: 'test',
  epoch: 0,
  samples,
  augment: false,
});

/** Pixels and flips that the request's samples have without a loader. */
async function expectedViews(source: BatchSource, request: BatchRequest): Promise<[Uint8Array, Uint8Array]> {
  const { transform, root, splits } = source;
  const pixels: Uint8Array[] = [];
  const flips: number[] = [];
  for (const sample of request.samples) {
    const image = await decodeImage(join(root, splits[request.split]![sample]!.path));
    const view =
      request.augment && transform.transform === 'paper'
        ? augmentedView(image, transform, { epoch: request.epoch, sample })
        : { pixels: plainPixels(image, transform), flip: false };
    pixels.push(view.pixels);
    flips.push(view.flip ? 1 : 0);
  }
  return [new Uint8Array(Buffer.concat(pixels)), Uint8Array.from(flips)];
}

function viewsOf({ pixels, flips }: MicroBatch): [Uint8Array, Uint8Array] {
  return [pixels, flips];
}

for (const transform of ['paper', 'tutorial'] as const) {
  test(`${transform}: training and evaluation batches hold the transformed samples in order`, async (t) => {
    const { loader, source } = await rig(t, { transform: { ...PAPER, transform } });
    for (const request of [train(2, 11, 0, 5), evaluate(3, 1), { ...train(0, 2), augment: false }]) {
      const batch = await loader.take(request);
      assert.equal(batch.count, request.samples.length);
      assert.deepEqual(
        [...batch.labels],
        request.samples.map((sample) => source.splits[request.split]![sample]!.label),
      );
      assert.deepEqual(viewsOf(batch), await expectedViews(source, request));
    }
  });
}

test('without augmentation, training sees the views of evaluation in every epoch', async (t) => {
  const { loader } = await rig(t, {
    transform: Object.assign(preprocessing('paper'), PAPER, { augment: false }),
  });
  const { pixels } = await loader.take({ ...train(0, 4, 1), augment: false });
  for (const epoch of [0, 1]) assert.deepEqual((await loader.take(train(epoch, 4, 1))).pixels, pixels);
});

test('the cache changes no byte, whatever its size', async (t) => {
  const { dir, loader: cached } = await rig(t);
  const none = new Loader(await sourceIn(dir, { cacheBytes: 0 }), { maxAhead: 1, timeoutMs: 20_000 });
  const small = new Loader(await sourceIn(dir, { cacheBytes: 4000 }), { maxAhead: 1, timeoutMs: 20_000 });
  t.after(() => Promise.all([none.close(), small.close()]));
  const all = Array.from({ length: 12 }, (_, i) => i);
  for (const request of [train(0, ...all), train(1, ...all), evaluate(0, 1, 5), evaluate(0, 1, 5)]) {
    const expected = await none.take(request);
    assert.deepEqual(await cached.take(request), expected);
    assert.deepEqual(await small.take(request), expected);
  }
  assert.deepEqual([none.statistics.cacheHits, none.statistics.cachedBytes], [0, 0]);
  assert.equal(none.statistics.decodedImages, 30);
  assert.deepEqual([cached.statistics.cacheHits, cached.statistics.decodedImages], [15, 15]);
  assert.ok(small.statistics.cacheHits > 0 && small.statistics.decodedImages > 15);
  assert.ok(small.statistics.cachedBytes > 0 && small.statistics.cachedBytes <= 4000);
  assert.ok(cached.statistics.busyMs > 0);
});

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !condition(); i++) await sleep(5);
  assert.ok(condition(), 'it did not come true within 10 s');
}

test('what is announced is prepared, as far ahead as allowed and no further', async (t) => {
  const { loader } = await rig(t, {}, { maxAhead: 2 });
  const requests = [0, 1, 2, 3, 4].map((epoch) => train(epoch, 1, 2));
  loader.prefetch(requests);
  await until(() => loader.ready === 2);
  assert.equal(loader.statistics.decodedImages + loader.statistics.cacheHits, 4);
  const first = await loader.take(requests[0]!);
  assert.equal(first.count, 2);
  await until(() => loader.ready === 2);
  assert.equal(loader.statistics.decodedImages + loader.statistics.cacheHits, 6);
});

test('batches are the same whether announced or not, and in whatever order they are taken', async (t) => {
  const { loader, source } = await rig(t, {}, { maxAhead: 4 });
  const requests = [train(0, 3, 4), train(0, 5), evaluate(2, 0), train(1, 3, 4)];
  loader.prefetch(requests);
  for (const request of [...requests].reverse()) {
    assert.deepEqual(viewsOf(await loader.take(request)), await expectedViews(source, request));
  }
  assert.equal(loader.ready, 0);
  const again = await Promise.all([loader.take(requests[0]!), loader.take(requests[0]!)]);
  assert.deepEqual(again[0], again[1]);
  assert.notEqual(again[0].pixels.buffer, again[1].pixels.buffer);
});

test('a new announcement drops what it does not name and keeps what it does', async (t) => {
  const { loader, source } = await rig(t, { cacheBytes: 0 }, { maxAhead: 2 });
  loader.prefetch([train(0, 1), train(0, 2), train(0, 3)]);
  await until(() => loader.ready === 2);
  loader.prefetch([train(0, 2)]);
  assert.equal(loader.ready, 1);
  const kept = await loader.take(train(0, 2));
  assert.equal(loader.statistics.decodedImages, 2);
  assert.deepEqual(viewsOf(kept), await expectedViews(source, train(0, 2)));
  assert.equal((await loader.take(train(0, 1))).count, 1);
  assert.equal(loader.statistics.decodedImages, 3);
});

test('announcements that are withdrawn while under way do not disturb what follows', async (t) => {
  const { loader, source } = await rig(t, {}, { maxAhead: 3 });
  for (let epoch = 0; epoch < 20; epoch++) loader.prefetch([train(epoch, 0, 1, 2, 3, 4), train(epoch, 5, 6)]);
  loader.prefetch([]);
  assert.equal(loader.ready, 0);
  const request = train(3, 0, 1, 2, 3, 4);
  assert.deepEqual(viewsOf(await loader.take(request)), await expectedViews(source, request));
});

test('an empty request gives an empty batch', async (t) => {
  const { loader } = await rig(t);
  const batch = await loader.take(train(0));
  assert.deepEqual([batch.count, batch.pixels.length, batch.labels.length], [0, 0, 0]);
});

test('a broken image refuses its batch with code, path and remedy, and no other batch', async (t) => {
  const { dir, loader } = await rig(t, { cacheBytes: 0 });
  const broken = join(dir, 'train/bee/001.png');
  await writeFile(broken, 'not an image');
  loader.prefetch([train(0, 4, 5, 6), train(0, 0, 1)]);
  await until(() => loader.ready === 2);
  await assert.rejects(loader.take(train(0, 4, 5, 6)), (error: unknown) => {
    assert.ok(error instanceof VitrailError);
    assert.equal(error.code, 'DATA_BROKEN_IMAGE');
    assert.ok(error.problem.includes(broken));
    assert.match(error.remedy, /vitrail data check/);
    assert.match(error.message, /^DATA_BROKEN_IMAGE: .*vitrail data check/);
    return true;
  });
  assert.equal((await loader.take(train(0, 0, 1))).count, 2);
  await rm(broken);
  await assert.rejects(loader.take(train(0, 5)), { code: 'DATA_UNREADABLE' });
});

test('a sample that does not exist is refused', async (t) => {
  const { loader } = await rig(t);
  await assert.rejects(loader.take(train(0, 12)), {
    code: 'INTERNAL',
    message: /sample 12 of train, which has 12/,
  });
  await assert.rejects(loader.take(train(0, -1)), { code: 'INTERNAL' });
});

test('a wait longer than the timeout is refused with what was waited for', async (t) => {
  const { loader } = await rig(t, {}, { timeoutMs: 1 });
  // The thread takes far longer than a millisecond to start.
  await assert.rejects(loader.take(train(7, 1, 2)), {
    code: 'DATA_LOADER_TIMEOUT',
    message: /samples 1, 2 \.\.\. of train, epoch 7 within 1 ms/,
  });
});

test('a batch that arrives while the main thread computes is not late', async (t) => {
  const { loader } = await rig(t, {}, { timeoutMs: 300 });
  const works = (): Promise<boolean> =>
    loader.take(train(0, 1)).then(
      () => true,
      () => false,
    );
  // The first ones may be late: the thread has to start.
  for (let i = 0; i < 30 && !(await works()); i++);
  const taken = loader.take(train(1, 1));
  const from = performance.now();
  while (performance.now() - from < 600);
  assert.equal((await taken).count, 1);
});

test('after closing, every take is refused, also those under way', async (t) => {
  const { loader } = await rig(t);
  loader.prefetch([train(0, 1), train(0, 2)]);
  const underWay = assert.rejects(loader.take(train(1, 1)), { code: 'DATA_LOADER_STOPPED' });
  await loader.close();
  await underWay;
  await assert.rejects(loader.take(train(0, 1)), { code: 'DATA_LOADER_STOPPED', message: /it was closed/ });
  await loader.close();
});

test('a thread that cannot start refuses every take with its reason', async (t) => {
  const { source } = await rig(t);
  // The types forbid what is tested here: a source that the thread cannot begin with.
  const transform = null as unknown as TransformSpec;
  const loader = new Loader({ ...source, transform }, { maxAhead: 1, timeoutMs: 5000 });
  await assert.rejects(loader.take(train(0, 1)), { code: 'DATA_LOADER_STOPPED', message: /imageSize/ });
  await assert.rejects(loader.take(train(0, 1)), { code: 'DATA_LOADER_STOPPED' });
  await loader.close();
});

test('a process that closes its loader in the middle of work ends by itself', async (t) => {
  const { dir, source } = await rig(t);
  const script = join(dir, 'closing.mjs');
  const url = new URL('../../../src/worker/data/loader.js', import.meta.url).href;
  await writeFile(
    script,
    `import { Loader } from ${JSON.stringify(url)};
     const loader = new Loader(${JSON.stringify(source)}, { maxAhead: 3, timeoutMs: 10000 });
     const request = (epoch) => ({ split: 'train', epoch, samples: [...Array(12).keys()], augment: true });
     loader.prefetch([request(1), request(2), request(3)]);
     await loader.take(request(1));
     await loader.close();
     console.log('closed');`,
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    timeout: 10_000,
    encoding: 'utf8',
    cwd: resolve('.'),
  });
  assert.deepEqual([status, stdout, stderr], [0, 'closed\n', '']);
});
