import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder, writeDataset } from '../worker/data/temporary-files.js';
import { cli } from './cli-run.js';

test('data check gives the results of the good images, a line of each broken one, and exit code 1', async (t) => {
  const dir = await temporaryFolder(t);
  await writeDataset(dir, ['a', 'b'], { train: 3, test: 2 });
  await writeFile(join(dir, 'train/a/text.png'), 'no image');
  await writeFile(join(dir, 'train/a/notes.txt'), 'x');
  await symlink('nowhere', join(dir, 'train/b/dead\n\x1b[2J.jpg'));
  execFileSync('mkfifo', [join(dir, 'test/a/pipe.jpg')]);

  const shown = await cli('data', 'check', dir);
  assert.equal(shown.code, 1);
  assert.match(shown.stdout, /^train: 7 images; width /m);
  assert.match(shown.stdout, /^test: 4 images; width /m);
  assert.match(shown.stdout, /note 1 file is left out for its extension \(1 \.txt\): train\/a\/notes\.txt$/m);
  assert.match(shown.stdout, /^3 broken$/m);
  assert.ok(shown.stdout.includes('"train/b/dead\\n\\033[2J.jpg"  the link leads to nowhere'), shown.stdout);
  assert.match(shown.stdout, /test\/a\/pipe\.jpg {2}it is a FIFO, not a file$/m);
  assert.match(shown.stdout, /train\/a\/text\.png {2}unsupported image format/);

  const json = await cli('data', 'check', dir, '--json');
  assert.equal(json.code, 1);
  const { broken } = JSON.parse(json.stdout) as { broken: { path: string }[] };
  assert.deepEqual(
    broken.map(({ path }) => path),
    ['train/b/dead\n\x1b[2J.jpg', 'test/a/pipe.jpg', 'train/a/text.png'],
  );

  const list = join(dir, 'broken.txt');
  assert.equal((await cli('data', 'check', dir, '--write-exclude', list)).code, 0);
  assert.equal((await cli('data', 'check', dir, '--exclude', list)).code, 0);
});

test('what is wrong with the set as a whole is an error, with the rest of the report', async (t) => {
  const dir = await temporaryFolder(t);
  await writeDataset(dir, ['a', 'b'], { train: 2, test: 1 });
  await writeDataset(join(dir, 'more'), ['c'], { train: 1, test: 1 });
  execFileSync('mv', [join(dir, 'more/test/c'), join(dir, 'test/c')]);
  const { code, stdout } = await cli('data', 'check', dir, '--write-exclude', join(dir, 'list.txt'));
  assert.equal(code, 1);
  assert.match(stdout, /^train: 4 images/m);
  assert.match(stdout, /error DATA_CLASSES_DIFFER: .*"c" is not in train/);
});
