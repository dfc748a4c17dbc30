import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scanDataset } from '../../../src/run/dataset/dataset-scan.js';
import { checkDataset } from '../../../src/worker/data/data-check.js';
import { writeExcludeList } from '../../../src/worker/data/exclude-file.js';
import { spreadOf } from '../../../src/worker/data/split-check.js';
import { picture, temporaryFolder, writeDataset, writeFiles } from './temporary-files.js';

test('a sound data set is counted and measured', async (t) => {
  const dir = await temporaryFolder(t);
  for (const [path, width, height] of [
    ['train/a/1.png', 4, 9],
    ['train/a/2.png', 6, 9],
    ['train/b/1.png', 8, 7],
    ['test/a/1.png', 5, 5],
    ['test/b/1.png', 5, 6],
  ] as const) {
    await writeFiles(dir, { [path]: await picture(width, height).png().toBuffer() });
  }
  const seen: string[] = [];
  const check = await checkDataset(dir, { onProgress: (done, total) => seen.push(`${done}/${total}`) });
  assert.deepEqual(check.classes, ['a', 'b']);
  assert.equal(check.digest, (await scanDataset(dir)).digest);
  const [train, testSplit] = check.splits;
  assert.ok(train !== undefined && testSplit !== undefined);
  assert.deepEqual([train.name, testSplit.name], ['train', 'test']);
  assert.deepEqual(train.perClass, { a: 2, b: 1 });
  assert.deepEqual(train.width, { min: 4, median: 6, max: 8 });
  assert.deepEqual(train.height, { min: 7, median: 9, max: 9 });
  assert.deepEqual([train.images, testSplit.images], [3, 2]);
  assert.deepEqual(testSplit.height, { min: 5, median: 5, max: 6 });
  assert.ok(testSplit.bytes !== null && testSplit.bytes.min > 50);
  assert.deepEqual(check.broken, []);
  assert.deepEqual(seen, ['1/5', '2/5', '3/5', '4/5', '5/5']);
});

test('broken images are listed with their reasons, and the written list makes the set sound', async (t) => {
  const dir = await temporaryFolder(t);
  await writeDataset(dir, ['a', 'b'], { train: 3, test: 2 });
  await writeFile(join(dir, 'train/b/001.png'), 'no image: at all');
  await writeFile(join(dir, 'test/a/000.png'), '');
  const check = await checkDataset(dir);
  assert.deepEqual(check.broken, [
    { path: 'test/a/000.png', reason: 'the file is empty' },
    {
      path: 'train/b/001.png',
      reason: 'unsupported image format; JPEG, PNG, WebP, GIF, TIFF, BMP, PBM, PGM and PPM are read',
    },
  ]);
  assert.equal(check.splits[0]?.images, 6);
  const exclude = join(dir, 'broken.txt');
  await writeExcludeList(exclude, check.broken);
  assert.match(await readFile(exclude, 'utf8'), /^# the file is empty\ntest\/a\/000\.png$/m);
  const again = await checkDataset(dir, { exclude });
  assert.deepEqual(again.broken, []);
  assert.deepEqual(
    again.splits.map(({ images }) => images),
    [5, 3],
  );
});

test('a split without a decodable image has no sizes', async (t) => {
  const dir = await temporaryFolder(t);
  const broken = { 'train/a/1.png': 'x', 'train/b/1.png': 'x', 'test/a/1.png': 'x', 'test/b/1.png': 'x' };
  await writeFiles(dir, broken);
  const check = await checkDataset(dir);
  assert.equal(check.broken.length, 4);
  assert.deepEqual([check.splits[0]?.width, check.splits[0]?.height], [null, null]);
  assert.deepEqual(check.splits[0]?.bytes, { min: 1, median: 1, max: 1 });
});

test('an exclude list that cannot be written is refused', async (t) => {
  const dir = await temporaryFolder(t);
  await assert.rejects(writeExcludeList(join(dir, 'no/where.txt'), []), { code: 'DATA_WRITE_FAILED' });
});

test('the median of an even number of values is the lower one in the middle', () => {
  assert.deepEqual(spreadOf([10, 9, 100, 2]), { min: 2, median: 9, max: 100 });
  assert.equal(spreadOf([]), null);
});
