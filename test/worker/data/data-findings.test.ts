import assert from 'node:assert/strict';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import sharp from 'sharp';
import { findDominantClass } from '../../../src/run/dataset/class-names.js';
import { scanDataset, surveyDataset } from '../../../src/run/dataset/dataset-scan.js';
import { FindingTally, findingText, type FindingKind } from '../../../src/run/dataset/findings.js';
import { checkDataset } from '../../../src/worker/data/data-check.js';
import { picture, temporaryFolder, writeDataset, writeFiles } from './temporary-files.js';

async function sound(t: TestContext): Promise<string> {
  const dir = await temporaryFolder(t);
  await writeDataset(dir, ['a', 'b'], { train: 11, test: 10 });
  return dir;
}

const coloured = async (background: { r: number; g: number; b: number; alpha: number }): Promise<Buffer> =>
  sharp({ create: { width: 8, height: 8, channels: 4, background } })
    .png()
    .toBuffer();

test('a sound data set gives nothing to say', async (t) => {
  const { findings, problems } = await checkDataset(await sound(t));
  assert.deepEqual([findings, problems], [[], []]);
});

test('a scan reports what it leaves out, in one line for each kind with a count', async (t) => {
  const dir = await sound(t);
  await writeFiles(dir, {
    'train/a/1.xcf': 'x',
    'train/a/2.XCF': 'x',
    'train/b/notes.txt': 'x',
    'train/b/README': 'x',
    'train/.ipynb_checkpoints/1.png': 'x',
    'train/__MACOSX/1.png': 'x',
    'train/a/.thumbs/1.png': 'x',
    'train/a/._000.png': 'x',
    'train/stray.png': 'x',
  });
  const said: string[] = [];
  const manifest = await scanDataset(dir, { say: (line) => said.push(line) });
  assert.deepEqual(manifest.classes, ['a', 'b']);
  assert.equal(manifest.train.samples.length, 22);
  assert.deepEqual(said, [
    '4 files are left out for their extension (2 .xcf, 1 no extension, 1 .txt): train/a/1.xcf, train/a/2.XCF, train/b/README and 1 more',
    '3 folders of other programs are left out, with what they hold: train/.ipynb_checkpoints, train/__MACOSX, train/a/.thumbs',
    '1 file of other programs is left out: train/a/._000.png',
    '1 image lies beside the class folders and is left out: train/stray.png',
  ]);
});

test('pictures that show nothing are told apart', async (t) => {
  const dir = await sound(t);
  await writeFiles(dir, {
    'train/a/black.png': await coloured({ r: 0, g: 0, b: 0, alpha: 1 }),
    'train/a/grey.png': await coloured({ r: 9, g: 9, b: 9, alpha: 1 }),
    'test/b/clear.png': await coloured({ r: 200, g: 9, b: 9, alpha: 0 }),
    'test/b/half.png': await picture(8, 8).ensureAlpha(0.5).png().toBuffer(),
  });
  const { findings } = await checkDataset(dir);
  assert.deepEqual(
    findings.map(({ kind, examples }) => [kind, ...examples]),
    [
      ['transparent', 'test/b/clear.png'],
      ['black', 'train/a/black.png'],
      ['one-colour', 'train/a/grey.png'],
    ],
  );
});

test('the same picture under two labels, in two splits and twice in a class is found by its content', async (t) => {
  const dir = await sound(t);
  const [one, two, three] = await Promise.all(
    [501, 502, 503].map(async (phase) => picture(30, 30, phase).png().toBuffer()),
  );
  await writeFiles(dir, {
    'train/a/p.png': one!,
    'train/b/other-name.png': one!,
    'train/a/q.png': two!,
    'test/a/q.png': two!,
    'train/b/r.png': three!,
    'train/b/r2.png': three!,
    'train/b/r3.png': three!,
    'train/b/r4.png': three!,
  });
  const { findings } = await checkDataset(dir);
  assert.deepEqual(
    findings.map(({ kind, count, examples }) => [kind, count, ...examples]),
    [
      ['two-labels', 1, 'train/a/p.png = train/b/other-name.png'],
      ['two-splits', 1, 'train/a/q.png = test/a/q.png'],
      ['twice-in-class', 1, 'train/b/r.png = train/b/r2.png = train/b/r3.png and 1 more'],
    ],
  );
});

test('an SVG named .png and a text are broken, not strange', async (t) => {
  const dir = await sound(t);
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
  await writeFiles(dir, { 'train/a/drawing.png': svg });
  const { broken } = await checkDataset(dir);
  assert.equal(broken.length, 1);
  assert.match(broken[0]!.reason, /^it is an SVG drawing/);
});

test('class names that differ only in spelling are reported with their code points', async (t) => {
  const dir = await sound(t);
  await rename(join(dir, 'train/a'), join(dir, 'train/caf\u00e9'));
  await rename(join(dir, 'test/a'), join(dir, 'test/cafe\u0301'));
  const { problems } = await checkDataset(dir);
  assert.equal(problems[0]?.code, 'DATA_CLASSES_DIFFER');
  assert.match(problems[0].problem, /"café" is spelled caf\\u\{e9\} in train and cafe\\u\{301\} here/);
  await mkdir(join(dir, 'train/cafe\u0301'));
  const { findings } = await surveyDataset(dir);
  assert.deepEqual(findings[0]?.examples, ['cafe\\u{301} and caf\\u{e9}']);
});

test('every class that is missing in a split, or in it alone, is named, and the good ones are checked', async (t) => {
  const dir = await sound(t);
  await writeFiles(dir, {
    'train/c/1.png': await picture(5, 5, 7).png().toBuffer(),
    'test/d/1.png': 'x',
    'test/e/1.png': 'x',
  });
  const { problems, splits } = await checkDataset(dir);
  assert.match(problems[0]!.problem, /"c" is missing, "d" is not in train, "e" is not in train/);
  assert.deepEqual(
    splits.map(({ images }) => images),
    [23, 20],
  );
  await assert.rejects(scanDataset(dir), { code: 'DATA_CLASSES_DIFFER' });
});

test('classes with fewer than ten images in a split are reported', async (t) => {
  const dir = await temporaryFolder(t);
  await writeDataset(dir, ['a', 'b'], { train: 10, test: 9 });
  const said: string[] = [];
  await scanDataset(dir, { say: (line) => said.push(line) });
  assert.deepEqual(said, ['2 classes have few images (below 10): test/a (9), test/b (9)']);
});

test('a class that most images belong to is named with its share, by which an accuracy has to be judged', () => {
  const said = (...counts: readonly number[]): string[] => {
    const tally = new FindingTally();
    const classes = counts.map((_, label) => `class-${label}`);
    findDominantClass('train', classes, counts, tally);
    return tally.findings().map(findingText);
  };
  assert.deepEqual(said(8, 2), []);
  assert.deepEqual(said(9, 1), [
    '1 class has most of the images of its split: train/class-0 (90.0 %: an answer that is always class-0 is right as often)',
  ]);
  assert.deepEqual(said(20, 60, 20), []);
  assert.match(said(10, 80, 10)[0] ?? '', /train\/class-1 \(80\.0 %/);
  assert.match(
    said(...Array.from({ length: 100 }, (_, i) => (i === 7 ? 200 : 1)))[0] ?? '',
    /class-7 \(66\.9 %/,
  );
  assert.deepEqual(said(0, 0), []);
});

test('a tally keeps counts of everything and examples of a few, however much there is', () => {
  const tally = new FindingTally();
  for (let i = 0; i < 100_000; i++) tally.add('skipped-file', `train/a/${i}.e${i}`, `.e${i}`);
  const [finding] = tally.findings();
  assert.equal(finding?.count, 100_000);
  assert.equal(finding.examples.length, 20);
  assert.equal(finding.extensions?.length, 51);
  assert.deepEqual(finding.extensions[0], { extension: 'others', count: 99_950 });
});

test('every kind has a sentence for one and for many', () => {
  const kinds: readonly FindingKind[] = ['two-labels', 'black', 'hidden-folder', 'alike-classes'];
  for (const kind of kinds) {
    assert.match(findingText({ kind, count: 1, examples: ['x'] }), /^1 .*: x$/);
    assert.match(findingText({ kind, count: 7, examples: ['x'] }), /^7 .*s .*: x and 6 more$/);
  }
});
