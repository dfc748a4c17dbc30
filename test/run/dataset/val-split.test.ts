/** `--val-split`: which training images choose the best follows from seed and path alone, class by class. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManifestSample } from '../../../src/run/dataset/manifest.js';
import { scanDataset } from '../../../src/run/dataset/dataset-scan.js';
import { divideTrain } from '../../../src/run/dataset/val-split.js';
import { temporaryFolder, writeFiles } from '../../worker/data/temporary-files.js';

/** `counts[label]` images of each class. */
function images(...counts: readonly number[]): ManifestSample[] {
  return counts.flatMap((count, label) =>
    Array.from({ length: count }, (_, i) => ({ path: `train/c${label}/${i}.jpg`, bytes: 1, label })),
  );
}
const paths = (samples: readonly ManifestSample[]): string[] => samples.map(({ path }) => path);
const valOf = (samples: readonly ManifestSample[], share = 0.1, seed = 0): string[] =>
  paths(divideTrain(samples, { share, seed }).val);

test('each class gives its share, at least one of two images, and keeps at least one', () => {
  for (const [counts, share, taken] of [
    [[100, 40, 10], 0.1, [10, 4, 1]],
    [[1, 2, 3, 4], 0.1, [0, 1, 1, 1]],
    [[1, 2, 3, 4], 0.9, [0, 1, 2, 3]],
    [[25], 0.1, [3]],
  ] as const) {
    const all = images(...counts);
    const { train, val } = divideTrain(all, { share, seed: 3 });
    const perClass = counts.map((_, label) => val.filter((sample) => sample.label === label).length);
    assert.deepEqual(perClass, taken);
    assert.deepEqual(paths([...train, ...val]).sort(), paths(all).sort(), 'each image is in one of the two');
    assert.deepEqual(paths(train), paths(all.filter((sample) => train.includes(sample))), 'in the old order');
  }
});

test('the order of the list changes nothing, and an image more changes one place at most', () => {
  const all = images(60, 30);
  assert.deepEqual(valOf([...all].reverse()).sort(), valOf(all).sort());
  const before = new Set(valOf(all));
  const after = valOf([...all, { path: 'train/c0/new.jpg', bytes: 1, label: 0 }]);
  assert.ok(after.filter((path) => !before.has(path)).length <= 1);
});

test('a larger share keeps the images of a smaller one', () => {
  const all = images(50, 50);
  const larger = new Set(valOf(all, 0.3));
  assert.ok(valOf(all, 0.1).every((path) => larger.has(path)));
});

test('another seed takes other images, and all images are taken about as often', () => {
  const all = images(40);
  const counts = new Map(paths(all).map((path) => [path, 0]));
  for (let seed = 0; seed < 500; seed++) {
    for (const path of valOf(all, 0.25, seed)) counts.set(path, counts.get(path)! + 1);
  }
  // 125 expected; five standard deviations of a binomial distribution are 48.
  for (const [path, count] of counts) assert.ok(Math.abs(count - 125) < 49, `${path}: ${count}`);
});

test('a run of today takes the images that the same run takes tomorrow', () => {
  assert.deepEqual(valOf(images(20, 20), 0.1, 7), [
    'train/c0/0.jpg',
    'train/c0/19.jpg',
    'train/c1/5.jpg',
    'train/c1/13.jpg',
  ]);
});

test('the manifest has the images of train divided, and its digest tells the divisions apart', async (t) => {
  const dir = await temporaryFolder(t);
  const files = ['a', 'b'].flatMap((name) => [1, 2, 3, 4].map((i) => `train/${name}/${i}.jpg`));
  await writeFiles(dir, Object.fromEntries(files.map((path) => [path, path])));
  await assert.rejects(scanDataset(dir), { code: 'DATA_NOTHING_TO_EVALUATE', message: /--val-split/ });
  const digests = new Set<string>();
  for (const [share, seed] of [
    [0.25, 0],
    [0.25, 5],
    [0.5, 0],
  ] as const) {
    const { train, val, test: none, digest } = await scanDataset(dir, { valSplit: { share, seed } });
    assert.deepEqual(paths([...train.samples, ...val.samples]).sort(), files);
    assert.deepEqual([val.samples.length, none.samples.length], [share * 8, 0]);
    digests.add(digest);
  }
  assert.equal(digests.size, 3);
  await writeFiles(dir, { 'valid/a/1.jpg': 'x', 'valid/b/1.jpg': 'x' });
  await assert.rejects(scanDataset(dir, { valSplit: { share: 0.25, seed: 0 } }), {
    code: 'DATA_VAL_EXISTS',
    message: /in valid,/,
  });
});
