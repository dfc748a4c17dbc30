import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { drawDataset } from '../../src/demo/drawn-dataset.js';
import { addGrain, drawScene, SCENE_SIDE, sceneRandom, SHAPES } from '../../src/demo/drawn-scene.js';
import { scanDataset } from '../../src/run/dataset/dataset-scan.js';
import { checkDataset } from '../../src/worker/data/data-check.js';
import { temporaryFolder } from '../worker/data/temporary-files.js';

const SMALL = { seed: 3, trainPerClass: 3, testPerClass: 1 };

test('the drawn set is a sound data set of 32 x 32 images with the promised counts', async (t) => {
  const dir = join(await temporaryFolder(t), 'drawn');
  const seen: number[] = [];
  const images = await drawDataset(dir, { ...SMALL, onProgress: (done) => seen.push(done) });
  assert.equal(images, 32);
  assert.deepEqual(
    seen,
    Array.from({ length: 32 }, (_, i) => i + 1),
  );
  const manifest = await scanDataset(dir);
  assert.deepEqual(manifest.classes, Object.keys(SHAPES));
  const check = await checkDataset(dir);
  assert.deepEqual(check.broken, []);
  assert.deepEqual(
    check.findings.filter(({ kind }) => kind !== 'few-images'),
    [],
  );
  const [train, testSplit] = check.splits;
  assert.ok(train !== undefined && testSplit !== undefined);
  assert.deepEqual(Object.values(train.perClass), [3, 3, 3, 3, 3, 3, 3, 3]);
  assert.deepEqual(Object.values(testSplit.perClass), [1, 1, 1, 1, 1, 1, 1, 1]);
  const square = { min: SCENE_SIDE, median: SCENE_SIDE, max: SCENE_SIDE };
  assert.deepEqual([train.width, train.height], [square, square]);
});

test('the same seed draws the same files, and another seed draws others', async (t) => {
  const dir = await temporaryFolder(t);
  for (const [name, seed] of [
    ['a', 3],
    ['b', 3],
    ['c', 4],
  ] as const) {
    await drawDataset(join(dir, name), { ...SMALL, seed });
  }
  const file = (name: string): Promise<Buffer> => readFile(join(dir, name, 'train/star/0001.jpg'));
  assert.deepEqual(await file('a'), await file('b'));
  assert.notDeepEqual(await file('a'), await file('c'));
});

test('no two pictures of a set are the same', () => {
  const drawn = new Set<string>();
  for (const isTest of [false, true]) {
    for (let index = 0; index < 50; index++) drawn.add(drawScene('moon', sceneRandom(1, 3, isTest, index)));
  }
  assert.equal(drawn.size, 100);
});

test('an unknown shape is refused', () => {
  assert.throws(() => drawScene('toString', sceneRandom(1, 0, false, 0)), /no shape is called toString/);
});

test('grain is grey, small and stays within a byte', () => {
  const pixels = Uint8Array.from({ length: 3000 }, (_, i) => [0, 128, 255][i % 3]!);
  addGrain(pixels, 9, sceneRandom(1, 0, false, 0));
  const middle = pixels.filter((_, i) => i % 3 === 1);
  assert.deepEqual([Math.min(...middle), Math.max(...middle)], [119, 137]);
  for (let i = 0; i < pixels.length; i += 3) {
    const grain = pixels[i + 1]! - 128;
    assert.deepEqual([pixels[i], pixels[i + 2]], [Math.max(0, grain), Math.min(255, 255 + grain)]);
  }
});

test('a folder that exists is not touched, and a failure leaves nothing behind', async (t) => {
  const dir = await temporaryFolder(t);
  await mkdir(join(dir, 'mine'));
  await writeFile(join(dir, 'mine/file'), 'kept');
  await assert.rejects(drawDataset(join(dir, 'mine'), SMALL), {
    code: 'DATA_WRITE_FAILED',
    message: /it exists already/,
  });
  assert.deepEqual(await readdir(join(dir, 'mine')), ['file']);
  const stopping = {
    ...SMALL,
    onProgress: () => {
      throw new Error('no space left');
    },
  };
  await assert.rejects(drawDataset(join(dir, 'new'), stopping), {
    code: 'DATA_WRITE_FAILED',
    message: /no space left/,
  });
  assert.deepEqual(await readdir(dir), ['mine']);
});
