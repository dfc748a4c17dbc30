import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { sealManifest } from '../../../src/run/dataset/manifest-digest.js';
import { firstDifference, type Manifest, type ManifestSample } from '../../../src/run/dataset/manifest.js';

const TRAIN: ManifestSample[] = [
  { path: 'train/a/1.png', bytes: 10, label: 0 },
  { path: 'train/b/2.png', bytes: 11, label: 1 },
];
const TEST: ManifestSample[] = [
  { path: 'test/a/1.png', bytes: 5, label: 0 },
  { path: 'test/b/1.png', bytes: 6, label: 1 },
];

function manifest(
  changes: Partial<Record<'classes', string[]> & Record<'train' | 'test', ManifestSample[]>> = {},
): Manifest {
  return sealManifest(changes.classes ?? ['a', 'b'], changes.train ?? TRAIN, changes.test ?? TEST);
}

test('the digests are SHA-256 of the written layout', () => {
  const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
  const { train, test: testSplit, digest } = manifest();
  const trainText = 'vitrail split 1\n["train/a/1.png",10,0]\n["train/b/2.png",11,1]\n';
  const testText = 'vitrail split 1\n["test/a/1.png",5,0]\n["test/b/1.png",6,1]\n';
  assert.equal(train.digest, sha(trainText));
  assert.equal(testSplit.digest, sha(testText));
  assert.equal(digest, sha(`vitrail manifest 1\n["a","b"]\n${sha(trainText)}\n${sha(testText)}\n`));
});

test('equal manifests have no difference and one digest', () => {
  assert.equal(firstDifference(manifest(), manifest()), null);
  assert.equal(manifest().digest, manifest().digest);
});

const changed = (at: number, change: Partial<ManifestSample>): ManifestSample[] =>
  TRAIN.map((sample, i) => (i === at ? { ...sample, ...change } : sample));

const DIFFERENCES: readonly (readonly [string, Manifest, string])[] = [
  ['a class less', manifest({ classes: ['a'] }), 'the class "b" is missing here'],
  ['a class more', manifest({ classes: ['a', 'b', 'c'] }), 'the class "c" exists only here'],
  ['another first class', manifest({ classes: ['aa', 'b'] }), 'the class "a" is missing here'],
  ['a class in between', manifest({ classes: ['a', 'ab', 'b'] }), 'the class "ab" exists only here'],
  ['a file less', manifest({ train: TRAIN.slice(1) }), 'train/a/1.png is missing here'],
  ['the last file less', manifest({ train: TRAIN.slice(0, 1) }), 'train/b/2.png is missing here'],
  [
    'a file more',
    manifest({ train: [...TRAIN, { path: 'train/b/3.png', bytes: 1, label: 1 }] }),
    'train/b/3.png exists only here',
  ],
  [
    'a file more in front',
    manifest({ test: [{ path: 'test/a/0.png', bytes: 1, label: 0 }, ...TEST] }),
    'test/a/0.png exists only here',
  ],
  [
    'another size',
    manifest({ train: changed(1, { bytes: 12 }) }),
    'train/b/2.png has 12 bytes here, 11 there',
  ],
  ['another label', manifest({ train: changed(1, { label: 0 }) }), 'train/b/2.png has label 0 here, 1 there'],
  [
    'another name',
    manifest({ train: changed(0, { path: 'train/a/0.png' }) }),
    'train/a/1.png is missing here',
  ],
  ['no files', manifest({ test: [] }), 'test/a/1.png is missing here'],
];

for (const [what, here, words] of DIFFERENCES) {
  test(`${what} is named and changes the digest`, () => {
    assert.equal(firstDifference(here, manifest()), words);
    assert.notEqual(here.digest, manifest().digest);
  });
}

test('a path that is listed more often on the other side is named', () => {
  const twice = manifest({ train: [...TRAIN, { path: 'train/b/2.png', bytes: 11, label: 1 }] });
  assert.equal(firstDifference(manifest(), twice), 'train/b/2.png is listed fewer times here');
});
