/** A folder is a data set with splits, or one of class folders, whatever its classes are called. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdsSplits } from '../../../src/run/dataset/dataset-layout.js';
import { temporaryFolder, writeFiles } from '../../worker/data/temporary-files.js';

const CASES: readonly [
  what: string,
  files: readonly string[],
  classes: readonly string[],
  splits: boolean,
][] = [
  ['splits', ['train/a/1.jpg', 'test/a/1.jpg'], ['a', 'b'], true],
  ['a test split alone', ['test/a/1.jpg'], ['a', 'b'], true],
  ['class folders', ['a/1.jpg', 'b/1.jpg'], ['a', 'b'], false],
  ['classes that nobody knows', ['x/1.jpg'], ['a', 'b'], false],
  ['class folders of which one is called train', ['train/1.jpg', 'bus/1.jpg'], ['bus', 'train'], false],
  ['one class folder, called test', ['test/1.jpg'], ['exam', 'test'], false],
  ['splits, and a class called train', ['train/train/1.jpg', 'test/train/1.jpg'], ['bus', 'train'], true],
  ['splits, and classes called like them', ['train/val/1.jpg', 'val/val/1.jpg'], ['train', 'val'], true],
  ['class folders called like splits', ['train/1.jpg', 'val/1.jpg'], ['train', 'val'], false],
  [
    'a class called train with folders of its own',
    ['train/2024/1.jpg', 'bus/1.jpg'],
    ['bus', 'train'],
    false,
  ],
  ['splits of other classes', ['train/x/1.jpg', 'test/x/1.jpg'], ['a', 'b'], true],
  ["Roboflow's split for validation", ['valid/a/1.jpg'], ['a', 'b'], true],
];

for (const [what, files, classes, splits] of CASES) {
  test(`${what}: ${splits ? 'a data set' : 'class folders'}`, async (t) => {
    const dir = await temporaryFolder(t);
    await writeFiles(dir, Object.fromEntries(files.map((path) => [path, ''])));
    assert.equal(await holdsSplits(dir, classes), splits);
  });
}
