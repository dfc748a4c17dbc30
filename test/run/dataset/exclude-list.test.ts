import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { scanDataset, surveyDataset } from '../../../src/run/dataset/dataset-scan.js';
import { formatExcludeList, parseExcludeList } from '../../../src/run/dataset/exclude-list.js';
import { parsePathText, pathOfBytes, pathText } from '../../../src/run/dataset/path-text.js';
import { checkDataset } from '../../../src/worker/data/data-check.js';
import { excludedBefore, writeExcludeList } from '../../../src/worker/data/exclude-file.js';
import { temporaryFolder, writeDataset } from '../../worker/data/temporary-files.js';

const roundTrip = (paths: readonly string[]): string[] =>
  parseExcludeList([...formatExcludeList(paths.map((path) => ({ path, reason: 'two\nlines' })))].join(''));

/** What a file system takes for a name, as bytes. */
const nameBytes = fc
  .uint8Array({ minLength: 1, maxLength: 60 })
  .map((bytes) => bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x0a : byte)));
const nameText = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 40 })
  .map((text) => text.replaceAll(/[\0/]/g, '\n'));
/** Names that are made of what a list of lines could trip over. */
const awkward = fc
  .array(
    fc.constantFrom('#', '"', '\\', ' ', '\n', '\r', '\t', '\ufeff', '\u2028', '\x1b', '\\351', 'é', 'a'),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

const path = fc.oneof(
  fc.oneof(nameText, awkward).map((name) => `train/a/${name}`),
  nameBytes.map((bytes) => pathOfBytes(Buffer.concat([Buffer.from('train/a/'), bytes]))),
);

test('any name survives the way through an exclude list, on a line of its own', () => {
  fc.assert(
    fc.property(fc.array(path, { minLength: 1 }), (paths) => {
      assert.deepEqual(roundTrip(paths), paths);
      const lines = [...formatExcludeList([{ path: paths[0]!, reason: '' }])].join('').split('\n');
      assert.equal(lines.length, 4);
    }),
    { numRuns: 1000 },
  );
});

test('what git prints for a path is read, and a plain path stays as it is', () => {
  // `git ls-files` of these names, git 2.39.
  for (const [path, printed] of [
    ['train/a/tab\there.jpg', '"train/a/tab\\there.jpg"'],
    ['train/a/line\nfeed.jpg', '"train/a/line\\nfeed.jpg"'],
    ['train/a/bell\x07.jpg', '"train/a/bell\\a.jpg"'],
    ['train/a/esc\x1b.jpg', '"train/a/esc\\033.jpg"'],
    ['train/a/café.jpg', '"train/a/caf\\303\\251.jpg"'],
  ] as const) {
    assert.equal(parsePathText(printed), path);
  }
  for (const path of [
    'train/a/x y.jpg',
    'train/a/#1.jpg',
    'train/a/b\\c.jpg',
    'train/a/a"b.jpg',
    'train/é/1.jpg',
  ]) {
    assert.equal(pathText(path), path);
  }
});

test('a report shows no control character of a name', () => {
  assert.equal(pathText('train/a/\x1b[2J\u202egpj.exe'), '"train/a/\\033[2J\\342\\200\\256gpj.exe"');
});

test('a list with comments, blank lines and Windows line ends is read', () => {
  assert.deepEqual(parseExcludeList('\ufeff# why\r\n train/a/1.jpg \r\n\r\n"train/a/ 2.jpg"\r\n'), [
    'train/a/1.jpg',
    'train/a/ 2.jpg',
  ]);
});

const NAMES = [
  '#1',
  ' lead',
  'trail .png ',
  'line\nfeed',
  'cr\r',
  '"quoted"',
  'back\\slash',
  '\ufeffbom',
  '🐱',
  '\ufffd',
  'e\u0301',
  '-rf',
  "it's",
  '$(id)',
];

test('broken files of any name are written by data check and left out by the scan', async (t) => {
  const dir = await temporaryFolder(t);
  const files = NAMES.map((name) => `train/a/${name}.png`);
  for (const path of ['train/a/ok.png', 'train/b/ok.png', 'test/a/ok.png', 'test/b/ok.png', ...files]) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), path.endsWith('ok.png') ? 'x' : '');
  }
  const { broken } = await surveyDataset(dir);
  assert.deepEqual(new Set(broken.map(({ path }) => path)), new Set(files));
  const exclude = join(dir, 'list.txt');
  await writeExcludeList(exclude, broken);
  const survey = await surveyDataset(dir, exclude);
  assert.deepEqual([survey.broken, survey.problems], [[], []]);
  assert.equal(survey.splits[0]?.samples.length, 2);
});

test('an excluded folder is left out with what it holds', async (t) => {
  const dir = await temporaryFolder(t);
  for (const path of ['train/a', 'train/b', 'train/c', 'test/a', 'test/b', 'test/c', 'train/a/sub']) {
    await mkdir(join(dir, path), { recursive: true });
    await writeFile(join(dir, path, '1.png'), 'x');
  }
  const exclude = join(dir, 'list.txt');
  await writeFile(exclude, 'train/a/sub\ntrain/c\ntest/c\n');
  const { classes, splits, problems } = await surveyDataset(dir, exclude);
  assert.deepEqual([classes, problems], [['a', 'b'], []]);
  assert.deepEqual(
    splits[0]?.samples.map(({ path }) => path),
    ['train/a/1.png', 'train/b/1.png'],
  );
});

test('data check does not wait for a FIFO', async (t) => {
  const dir = await temporaryFolder(t);
  for (const path of ['train/a', 'train/b', 'test/a', 'test/b'])
    await mkdir(join(dir, path), { recursive: true });
  execFileSync('mkfifo', [join(dir, 'train/a/.jpg')]);
  const { broken } = await checkDataset(dir);
  assert.deepEqual(broken, [{ path: 'train/a/.jpg', reason: 'it is a FIFO, not a file' }]);
});

test('a list written with another one in force holds both', async (t) => {
  const dir = await temporaryFolder(t);
  await writeDataset(dir, ['a', 'b'], { train: 3, test: 1 });
  const list = join(dir, 'list.txt');
  await writeFile(list, 'train/a/000.png\n');
  await writeFile(join(dir, 'train/b/000.png'), 'no image');
  const { broken } = await checkDataset(dir, { exclude: list });
  await writeExcludeList(list, [...(await excludedBefore(list)), ...broken]);
  const { train } = await scanDataset(dir, { exclude: list });
  assert.deepEqual(
    train.samples.map(({ path: of }) => of),
    ['train/a/001.png', 'train/a/002.png', 'train/b/001.png', 'train/b/002.png'],
  );
  assert.match(await readFile(list, 'utf8'), /^# listed in .*list\.txt\ntrain\/a\/000\.png$/m);
});
