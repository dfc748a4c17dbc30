import assert from 'node:assert/strict';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scanDataset, scanImages } from '../../../src/run/dataset/dataset-scan.js';
import { temporaryFolder, writeFiles } from '../../worker/data/temporary-files.js';

const SMALL = { 'train/b/1.jpg': 'xx', 'train/a/2.png': 'yyy', 'test/a/3.png': 'z', 'test/b/4.gif': 'w' };

test('classes, files, labels and sizes are those of ImageFolder', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFiles(dir, SMALL);
  const manifest = await scanDataset(dir);
  assert.deepEqual(manifest.classes, ['a', 'b']);
  assert.deepEqual(manifest.train.samples, [
    { path: 'train/a/2.png', bytes: 3, label: 0 },
    { path: 'train/b/1.jpg', bytes: 2, label: 1 },
  ]);
  assert.deepEqual(manifest.test.samples, [
    { path: 'test/a/3.png', bytes: 1, label: 0 },
    { path: 'test/b/4.gif', bytes: 1, label: 1 },
  ]);
  assert.match(manifest.digest, /^[0-9a-f]{64}$/);
});

test('names sort by code points, upper case first', async (t) => {
  const dir = await temporaryFolder(t);
  for (const name of ['b', 'B', 'a10', 'a2', 'é', '_x']) {
    await writeFiles(dir, { [`train/${name}/1.jpg`]: 'x', [`test/${name}/1.jpg`]: 'x' });
  }
  assert.deepEqual((await scanDataset(dir)).classes, ['B', '_x', 'a10', 'a2', 'b', 'é']);
});

test('all extensions count in any case, other files do not', async (t) => {
  const dir = await temporaryFolder(t);
  const names = ['1.JPG', '2.jpeg', '3.Png', '4.webp', '5.bmp', '6.tif', '7.TIFF', '8.gif'];
  for (const name of names) await writeFiles(dir, { [`a/${name}`]: 'x' });
  await writeFiles(dir, { 'a/notes.txt': 'x', 'a/jpg': 'x', 'a/x.jpg.part': 'x', 'a/.DS_Store': 'x' });
  const { samples } = await scanImages(dir, ['a']);
  assert.deepEqual(
    samples.map(({ path }) => path),
    names.map((name) => `a/${name}`),
  );
});

test("subfolders are read in the order of torchvision's sorted walk", async (t) => {
  const dir = await temporaryFolder(t);
  await writeFiles(dir, {
    'a/z.jpg': 'x',
    'a/s/b.jpg': 'x',
    'a/s/a.jpg': 'x',
    'a/s-2/c.jpg': 'x',
    'a/s/deep/d.jpg': 'x',
  });
  const { samples } = await scanImages(dir, ['a']);
  // Folders sort by their whole path, and '-' comes before '/'.
  assert.deepEqual(
    samples.map(({ path }) => path),
    ['a/z.jpg', 'a/s/a.jpg', 'a/s/b.jpg', 'a/s-2/c.jpg', 'a/s/deep/d.jpg'],
  );
});

test('links to folders and files are followed; a loop and a dead link are refused', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFiles(dir, { 'data/a/1.jpg': 'x', 'elsewhere/2.jpg': 'yy', 'elsewhere/sub/3.jpg': 'x' });
  await symlink(join(dir, 'elsewhere'), join(dir, 'data/b'));
  await symlink(join(dir, 'elsewhere/2.jpg'), join(dir, 'data/a/l.jpg'));
  const { samples } = await scanImages(join(dir, 'data'), ['a', 'b']);
  assert.deepEqual(
    samples.map(({ path, bytes }) => `${path} ${bytes}`),
    ['a/1.jpg 1', 'a/l.jpg 2', 'b/2.jpg 2', 'b/sub/3.jpg 1'],
  );
  await symlink(join(dir, 'elsewhere'), join(dir, 'elsewhere/sub/up'));
  await assert.rejects(scanImages(join(dir, 'data'), ['a', 'b']), {
    code: 'DATA_UNUSABLE_FILES',
    message: /b\/sub\/up \(the link leads back to a folder above it\)/,
  });
  await rm(join(dir, 'elsewhere/sub/up'));
  await symlink(join(dir, 'nowhere.jpg'), join(dir, 'data/a/dead.jpg'));
  await assert.rejects(scanImages(join(dir, 'data'), ['a', 'b']), {
    code: 'DATA_UNUSABLE_FILES',
    message: /a\/dead\.jpg \(the link leads to .*nowhere\.jpg, which does not exist\)/,
  });
});

test('a folder that is not there, or is a file, is refused', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFile(join(dir, 'file'), '');
  for (const path of [join(dir, 'nowhere'), join(dir, 'file')]) {
    await assert.rejects(scanDataset(path), { code: 'DATA_NOT_A_DIRECTORY', message: new RegExp(path) });
    await assert.rejects(scanImages(path, ['a']), { code: 'DATA_NOT_A_DIRECTORY' });
  }
});

test('each missing split is named', async (t) => {
  const dir = await temporaryFolder(t);
  await assert.rejects(scanDataset(dir), { code: 'DATA_NO_SPLIT', message: /no train folder/ });
  await writeFiles(dir, { 'train/a/1.jpg': 'x' });
  await assert.rejects(scanDataset(dir), { code: 'DATA_NOTHING_TO_EVALUATE' });
});

test('if a split is named, the error names the folder above it', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFiles(dir, { 'train/a/1.jpg': 'x', 'test/a/1.jpg': 'x' });
  for (const split of ['train', 'test']) {
    await assert.rejects(scanDataset(join(dir, split)), {
      code: 'DATA_NO_SPLIT',
      remedy: `give the folder above it, which holds the splits: --data ${dir}`,
    });
  }
});

test('no class, one class, an empty class and an empty split are told apart', async (t) => {
  const dir = await temporaryFolder(t);
  await mkdir(join(dir, 'train'));
  await mkdir(join(dir, 'test'));
  await assert.rejects(scanDataset(dir), { code: 'DATA_EMPTY' });
  await writeFiles(dir, { 'train/only/1.jpg': 'x', 'test/only/1.jpg': 'x' });
  await assert.rejects(scanDataset(dir), { code: 'DATA_ONE_CLASS', message: /"only"/ });
  await mkdir(join(dir, 'train/void'));
  await mkdir(join(dir, 'test/void'));
  await assert.rejects(scanDataset(dir), { code: 'DATA_EMPTY_CLASS', message: /train\/void/ });
  await writeFiles(dir, { 'train/void/1.jpg': 'x' });
  await assert.rejects(scanDataset(dir), { code: 'DATA_EMPTY_CLASS', message: /test\/void/ });
  await rm(join(dir, 'test/only/1.jpg'));
  await assert.rejects(scanDataset(dir), { code: 'DATA_EMPTY', message: /test/ });
});

test('splits with different classes are refused, with the class', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFiles(dir, SMALL);
  await writeFiles(dir, { 'test/c/1.jpg': 'x' });
  await assert.rejects(scanDataset(dir), { code: 'DATA_CLASSES_DIFFER', message: /"c" is not in train/ });
  await writeFiles(dir, { 'train/c/1.jpg': 'x', 'train/d/1.jpg': 'x' });
  await assert.rejects(scanDataset(dir), { code: 'DATA_CLASSES_DIFFER', message: /"d" is missing/ });
});

test('excluded images are in neither list nor digest', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFiles(dir, { ...SMALL, 'train/a/broken.png': 'q', 'test/b/broken.png': 'q' });
  const exclude = join(dir, 'broken.txt');
  await writeFile(exclude, '# broken\r\ntrain/a/broken.png\r\n\n  test/b/broken.png  \n');
  const excluded = await scanDataset(dir, { exclude });
  assert.equal(excluded.train.samples.length, 2);
  await rm(join(dir, 'train/a/broken.png'));
  await rm(join(dir, 'test/b/broken.png'));
  assert.equal(excluded.digest, (await scanDataset(dir)).digest);
});

test('an exclude list that names an unknown file, empties a class or cannot be read is refused', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFiles(dir, SMALL);
  const exclude = join(dir, 'list.txt');
  await writeFile(exclude, 'train/a/2.png\ntrain/a/22.png\ntrain/a/23.png\n');
  await assert.rejects(scanDataset(dir, { exclude }), {
    code: 'DATA_EXCLUDE_UNKNOWN',
    message: /train\/a\/22\.png, train\/a\/23\.png/,
  });
  await writeFile(exclude, 'train/a/2.png\n');
  await assert.rejects(scanDataset(dir, { exclude }), { code: 'DATA_EMPTY_CLASS', message: /train\/a/ });
  await assert.rejects(scanDataset(dir, { exclude: join(dir, 'none.txt') }), { code: 'DATA_UNREADABLE' });
});

test("a plain class-folder directory gets the model's labels", async (t) => {
  const dir = await temporaryFolder(t);
  await writeFiles(dir, { 'cat/1.jpg': 'x', 'ant/1.jpg': 'x' });
  const { samples } = await scanImages(dir, ['ant', 'bee', 'cat']);
  assert.deepEqual(samples, [
    { path: 'ant/1.jpg', bytes: 1, label: 0 },
    { path: 'cat/1.jpg', bytes: 1, label: 2 },
  ]);
  await assert.rejects(scanImages(dir, ['ant']), { code: 'DATA_CLASSES_DIFFER', message: /"cat"/ });
  await mkdir(join(dir, 'bee'));
  await assert.rejects(scanImages(dir, ['ant', 'bee', 'cat']), { code: 'DATA_EMPTY_CLASS' });
});

test('a plain directory without images is refused', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFiles(dir, { '1.jpg': 'x' });
  await assert.rejects(scanImages(dir, ['ant']), { code: 'DATA_EMPTY' });
});
