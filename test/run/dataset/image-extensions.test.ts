import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exclusion } from '../../../src/run/dataset/exclude-list.js';
import { FindingTally } from '../../../src/run/dataset/findings.js';
import { listImages } from '../../../src/run/dataset/image-folder.js';
import { temporaryFolder, writeFiles } from '../../worker/data/temporary-files.js';

/** torchvision.datasets.folder.IMG_EXTENSIONS, and what PIL takes for names of the same formats. */
const EXTENSIONS = ['jpg', 'jpeg', 'png', 'ppm', 'bmp', 'pgm', 'tif', 'tiff', 'webp'];
const FURTHER = ['jfif', 'jpe', 'pbm', 'gif'];

test('files of every extension of torchvision are images, in small and capital letters; others are not', async (t) => {
  const dir = await temporaryFolder(t);
  const names = [...EXTENSIONS, ...FURTHER].flatMap((name) => [`a.${name}`, `b.${name.toUpperCase()}`]);
  const others = ['a.svg', 'a.txt', 'png', 'a.png.txt', 'a.xpng'];
  await writeFiles(dir, Object.fromEntries([...names, ...others].map((name) => [`c/${name}`, 'x'])));
  const listed = await listImages(dir, 'c', 0, {
    broken: [],
    tally: new FindingTally(),
    exclusion: new Exclusion(),
  });
  assert.deepEqual(
    listed.map(({ path }) => path),
    names.map((name) => `c/${name}`).sort(),
  );
});
