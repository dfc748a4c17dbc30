import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeImage } from '../../../src/worker/data/image-decoder.js';
import { spreadPatches, writePatchPicture } from '../../../src/worker/data/patch-picture.js';
import { picture, pixelsOf, temporaryFolder } from './temporary-files.js';

test('the picture holds every patch, and white everywhere else', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFile(join(dir, 'in.png'), await picture(16, 16).png().toBuffer());
  const out = join(dir, 'patches.png');
  assert.equal(await writePatchPicture(join(dir, 'in.png'), out, { imageSize: 16, patch: 8 }), 4);
  const { width, height, data } = await decodeImage(out);
  const side = 16 + 3;
  assert.deepEqual([width, height], [side, side]);
  const source = pixelsOf(16, 16);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const isGap = x % 9 === 0 || y % 9 === 0;
      const from = ((y - 1 - Math.floor(y / 9)) * 16 + x - 1 - Math.floor(x / 9)) * 3;
      const expected = isGap ? [255, 255, 255] : [...source.subarray(from, from + 3)];
      assert.deepEqual(
        [...data.subarray((y * side + x) * 3, (y * side + x) * 3 + 3)],
        expected,
        `${x}, ${y}`,
      );
    }
  }
});

test('an image of another shape is squashed, and gaps grow with the patch', async (t) => {
  const dir = await temporaryFolder(t);
  await writeFile(join(dir, 'in.png'), await picture(40, 10).png().toBuffer());
  const out = join(dir, 'patches.png');
  assert.equal(await writePatchPicture(join(dir, 'in.png'), out, { imageSize: 48, patch: 16 }), 9);
  assert.equal((await decodeImage(out)).width, 48 + 4 * 2);
  assert.equal(spreadPatches(new Uint8Array(3), { imageSize: 1, patch: 1 }).side, 3);
});

test('nothing is left behind by a picture that cannot be made', async (t) => {
  const dir = await temporaryFolder(t);
  const image = join(dir, 'in.png');
  const grid = { imageSize: 16, patch: 8 };
  await assert.rejects(writePatchPicture(image, join(dir, 'out.png'), grid), { code: 'DATA_UNREADABLE' });
  await writeFile(image, await picture(16, 16).png().toBuffer());
  await assert.rejects(writePatchPicture(image, join(dir, 'no/out.png'), grid), {
    code: 'DATA_WRITE_FAILED',
  });
  await assert.rejects(writePatchPicture(image, dir, grid), { code: 'DATA_WRITE_FAILED' });
  await assert.rejects(writePatchPicture(image, join(dir, 'out.png'), { imageSize: 16, patch: 5 }), {
    code: 'MODEL_PATCH_DOES_NOT_DIVIDE',
  });
  assert.deepEqual(await readdir(dir), ['in.png']);
});
