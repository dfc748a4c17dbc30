import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { scanDataset } from '../../../src/run/dataset/dataset-scan.js';
import { sealManifest } from '../../../src/run/dataset/manifest-digest.js';
import { firstDifference } from '../../../src/run/dataset/manifest.js';
import { byCodePoints } from '../../../src/run/dataset/name-order.js';
import { temporaryFolder, writeFiles } from '../../worker/data/temporary-files.js';

test("names are in the order of Python's sorted()", async () => {
  const names = JSON.parse(await readFile('test/fixtures/name-order/names.json', 'utf8')) as string[];
  assert.ok(names.length > 1000);
  assert.deepEqual([...names].reverse().sort(byCodePoints), names);
  assert.notDeepEqual([...names].sort(), names, "JavaScript's own order is another one");
});

test('a class beyond the basic plane gets the label that torchvision gives it', async (t) => {
  const dir = await temporaryFolder(t);
  for (const split of ['train', 'test']) {
    for (const name of ['\u{1f431}', 'Ａ']) {
      await writeFiles(dir, { [`${split}/${name}/\u{1f436}.png`]: 'x', [`${split}/${name}/ﬁ.png`]: 'x' });
    }
  }
  const { classes, train } = await scanDataset(dir);
  assert.deepEqual(classes, ['Ａ', '\u{1f431}']);
  assert.deepEqual(
    train.samples.map(({ path, label }) => `${path} ${label}`),
    [
      'train/Ａ/ﬁ.png 0',
      'train/Ａ/\u{1f436}.png 0',
      'train/\u{1f431}/ﬁ.png 1',
      'train/\u{1f431}/\u{1f436}.png 1',
    ],
  );
});

test('a difference of two class lists is found in the same order on both sides', () => {
  const here = sealManifest(['a', 'Ａ', '\u{1f431}'], [], []);
  const there = sealManifest(['a', '\u{1f431}'], [], []);
  assert.equal(firstDifference(here, there), 'the class "Ａ" exists only here');
  assert.equal(firstDifference(there, here), 'the class "Ａ" is missing here');
});
