import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, open, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { scanDataset, scanImages, surveyDataset } from '../../../src/run/dataset/dataset-scan.js';
import { checkDataset } from '../../../src/worker/data/data-check.js';
import { writeExcludeList } from '../../../src/worker/data/exclude-file.js';
import { picture, temporaryFolder, writeDataset, writeFiles } from './temporary-files.js';

async function damagedDataset(t: TestContext): Promise<string> {
  const dir = await temporaryFolder(t);
  await writeDataset(dir, ['a', 'b'], { train: 2, test: 1 });
  await symlink(join(dir, 'gone.jpg'), join(dir, 'train/a/dead.jpg'));
  await symlink(join(dir, 'unmounted'), join(dir, 'train/a/more'));
  await symlink('self.png', join(dir, 'train/b/self.png'));
  await symlink('..', join(dir, 'train/b/up'));
  await symlink('/dev/null', join(dir, 'train/b/null.png'));
  execFileSync('mkfifo', [join(dir, 'train/b/pipe.jpg'), join(dir, 'test/a/.jpg')]);
  await writeFile(join(dir, 'test/b/empty.png'), '');
  return dir;
}

const BROKEN: readonly (readonly [string, RegExp])[] = [
  ['train/a/dead.jpg', /^the link leads to .*gone\.jpg, which does not exist$/],
  ['train/a/more', /^the link leads to .*unmounted, which does not exist$/],
  ['train/b/null.png', /^it is a device, not a file$/],
  ['train/b/pipe.jpg', /^it is a FIFO, not a file$/],
  ['train/b/self.png', /^the link forms a loop$/],
  ['train/b/up', /^the link leads back to a folder above it$/],
  ['test/a/.jpg', /^it is a FIFO, not a file$/],
  ['test/b/empty.png', /^the file is empty$/],
];

test('a scan goes on to its end and lists everything that cannot be used', async (t) => {
  const { broken, splits } = await surveyDataset(await damagedDataset(t));
  assert.deepEqual(
    broken.map(({ path }) => path),
    BROKEN.map(([path]) => path),
  );
  for (const [i, [, reason]] of BROKEN.entries()) assert.match(broken[i]!.reason, reason);
  assert.deepEqual(
    splits.map(({ samples }) => samples.length),
    [4, 2],
  );
});

test('training refuses them all together, and data check writes the list that excludes them', async (t) => {
  const dir = await damagedDataset(t);
  await assert.rejects(scanDataset(dir), (error: Error & { code: string }) => {
    assert.equal(error.code, 'DATA_UNUSABLE_FILES');
    assert.match(error.message, /^DATA_UNUSABLE_FILES: 8 of the files in /);
    for (const [path] of BROKEN) assert.ok(error.message.includes(`${path} (`), path);
    return true;
  });
  const exclude = join(dir, 'broken.txt');
  await writeExcludeList(exclude, (await checkDataset(dir)).broken);
  const { train, test: testSplit } = await scanDataset(dir, { exclude });
  assert.deepEqual([train.samples.length, testSplit.samples.length], [4, 2]);
  assert.deepEqual((await checkDataset(dir, { exclude })).broken, []);
});

test('a folder of classes alone is scanned to its end as well, and takes an exclude list', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFiles(dir, { 'a/1.jpg': 'x', 'a/2.jpg': '', 'b/1.jpg': '', 'list.txt': 'a/2.jpg\nb\n' });
  await assert.rejects(scanImages(dir, ['a', 'b']), {
    code: 'DATA_UNUSABLE_FILES',
    message: /a\/2\.jpg \(the file is empty\), b\/1\.jpg \(the file is empty\)/,
  });
  const { samples } = await scanImages(dir, ['a', 'b'], { exclude: join(dir, 'list.txt') });
  assert.deepEqual(
    samples.map(({ path }) => path),
    ['a/1.jpg'],
  );
});

test('a socket with the name of an image is not an image', async (t) => {
  const dir = await temporaryFolder(t);
  await writeDataset(dir, ['a', 'b'], { train: 1, test: 1 });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(dir, 'train/a/s.png'), resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const { broken } = await surveyDataset(dir);
  assert.deepEqual(broken, [{ path: 'train/a/s.png', reason: 'it is a socket, not a file' }]);
});

test('names that are not UTF-8 are reported, and can be excluded', async (t) => {
  const dir = await temporaryFolder(t);
  await writeDataset(dir, ['a', 'b'], { train: 1, test: 1 });
  const named = (...parts: (string | number)[]): Buffer =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))));
  const image = await picture(4, 4).png().toBuffer();
  const file = await open(named(join(dir, 'train/a'), '/caf', 0xe9, '.png'), 'w');
  await file.writeFile(image);
  await file.close();
  await mkdir(named(join(dir, 'train/b'), '/', 0xff));
  const { broken } = await checkDataset(dir);
  assert.deepEqual(broken, [
    { path: '"train/a/caf\\351.png"', reason: 'its name is not UTF-8: rename it' },
    { path: '"train/b/\\377"', reason: 'the name of the folder is not UTF-8: rename it' },
  ]);
  const exclude = join(dir, 'broken.txt');
  await writeExcludeList(exclude, broken);
  assert.equal((await scanDataset(dir, { exclude })).train.samples.length, 2);
});

test('a folder that may not be read is listed, and the others are read', async (t) => {
  const dir = await temporaryFolder(t);
  await writeDataset(dir, ['a', 'b'], { train: 2, test: 1 });
  await chmod(dir, 0o755);
  await mkdir(join(dir, 'train/a/locked'), { mode: 0o000 });
  // Whoever is root may read everything: another user looks, in all threads of this process.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    const { broken, splits } = await surveyDataset(dir);
    assert.deepEqual(broken, [{ path: 'train/a/locked', reason: 'permission denied' }]);
    assert.equal(splits[0]?.samples.length, 4);
  } finally {
    if (isRoot) process.seteuid?.(0);
    await chmod(join(dir, 'train/a/locked'), 0o755);
  }
});
