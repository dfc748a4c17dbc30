/** One broken image takes no other's result away: the good ones are answered, the broken one is named, the exit code is 1. */
import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cli, coverProcesses, SMALL_RUN, smallDataset, temporaryFolder } from './cli-run.js';

coverProcesses();
const folder = temporaryFolder();
const runDir = join(folder.path, 'run');
const torn = join(folder.path, 'torn.jpg');
const missing = join(folder.path, 'missing.jpg');
let data = '';
let classes: string[] = [];
/** Images of two classes. */
let first = '';
let second = '';

before(async () => {
  data = await smallDataset(folder.path);
  const trained = await cli('train', '--data', data, '--out', runDir, ...SMALL_RUN, '--steps', '1');
  assert.equal(trained.code, 0, trained.stderr);
  classes = readdirSync(join(data, 'test')).sort();
  const imageOf = (name: string): string => {
    const at = join(data, 'test', name);
    return join(at, readdirSync(at).sort()[0]!);
  };
  first = imageOf(classes[0]!);
  second = imageOf(classes[1]!);
  writeFileSync(torn, readFileSync(first).subarray(0, 200));
});

after(() => folder.remove());

interface Entry {
  readonly image: string;
  readonly top?: readonly { readonly class: string; readonly probability: number }[];
  readonly logits?: readonly number[];
  readonly error?: { readonly code: string; readonly problem: string };
}

test('predict answers for the images it can decode, names the others, and ends with 1', async () => {
  const { code, stdout, stderr } = await cli('predict', runDir, first, torn, missing, second, '--top', '1');
  assert.equal(code, 1, stderr);
  const lines = stdout.trim().split('\n');
  assert.deepEqual([lines.length, lines[0], lines[2]], [4, first, second]);
  assert.equal(stderr.match(/^error DATA_BROKEN_IMAGE: .*torn\.jpg/gm)?.length, 1, stderr);
  assert.equal(stderr.match(/^error DATA_UNREADABLE: .*missing\.jpg/gm)?.length, 1, stderr);
  assert.doesNotMatch(stderr, /--/, 'no option is named that the command lacks');
});

test('predict --json has an entry for every image, in order, with logits or with the error', async () => {
  const { code, stdout } = await cli('predict', runDir, second, torn, first, '--json', '--top', '3');
  assert.equal(code, 1);
  const entries = JSON.parse(stdout) as Entry[];
  assert.deepEqual(
    entries.map(({ image }) => image),
    [second, torn, first],
  );
  assert.equal(entries[1]!.error?.code, 'DATA_BROKEN_IMAGE');
  assert.equal(entries[1]!.logits, undefined);
  const { logits, top } = entries[0]!;
  assert.equal(logits!.length, classes.length);
  const exponentials = logits!.map(Math.exp).sort((a, b) => b - a);
  const sum = exponentials.reduce((total, value) => total + value);
  assert.equal(top!.length, 3);
  for (const [i, { probability }] of top!.entries()) {
    assert.ok(Math.abs(probability - exponentials[i]! / sum) < 1e-6);
  }
});

interface Figures {
  readonly images: number;
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
  readonly confusion: readonly (readonly number[])[];
}

/** The lines of a CSV file that has every pair of classes that occurred. */
function pairsOf(confusion: Figures['confusion']): string {
  const lines = confusion.flatMap((row, actual) =>
    row.flatMap((count, predicted) =>
      count === 0 ? [] : [`${classes[actual]!},${classes[predicted]!},${count}\n`],
    ),
  );
  return `actual,predicted,count\n${lines.join('')}`;
}

test('evaluate --skip-broken has exactly the figures of a data set without the broken images', async () => {
  const sound = readFileSync(first);
  const csv = join(folder.path, 'tables', 'confusion.csv');
  const npy = join(folder.path, 'confusion.npy');
  try {
    rmSync(first);
    const without = await cli('evaluate', runDir, '--json', '--confusion', csv);
    assert.equal(without.code, 0, without.stderr);
    writeFileSync(first, sound.subarray(0, 200));
    const refused = await cli('evaluate', runDir);
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, /DATA_BROKEN_IMAGE[^]*vitrail evaluate --skip-broken/);
    const skipping = await cli('evaluate', runDir, '--json', '--skip-broken', '--confusion', npy);
    assert.equal(skipping.code, 1, 'something was left out');
    assert.match(skipping.stderr, /^error DATA_BROKEN_IMAGE/m);
    const { skipped, ...figures } = JSON.parse(skipping.stdout) as Figures;
    const { skipped: none, ...expected } = JSON.parse(without.stdout) as Figures;
    assert.deepEqual(figures, expected);
    assert.deepEqual(none, []);
    assert.deepEqual(
      skipped.map(({ path }) => join(data, path)),
      [first],
    );
    assert.equal(readFileSync(csv, 'utf8'), pairsOf(figures.confusion));
    const bytes = readFileSync(npy);
    const counts = new Int32Array(
      bytes.buffer.slice(bytes.byteOffset + 128, bytes.byteOffset + bytes.length),
    );
    assert.deepEqual([...counts], figures.confusion.flat());
    rmSync(first);
    symlinkSync('nowhere', first);
    const text = await cli('evaluate', runDir, '--skip-broken');
    assert.match(
      text.stderr,
      /^error DATA_BROKEN_IMAGE: .*the link leads to nowhere, which does not exist$/m,
    );
    assert.match(text.stdout, new RegExp(`${figures.images} images, 1 broken left out`));
  } finally {
    rmSync(first, { force: true });
    writeFileSync(first, sound);
  }
});

test('a folder without a decodable image has no figures', async () => {
  const other = join(folder.path, 'broken');
  mkdirSync(join(other, classes[0]!), { recursive: true });
  copyFileSync(torn, join(other, classes[0]!, 'a.jpg'));
  const { code, stdout, stderr } = await cli('evaluate', runDir, '--data', other, '--skip-broken');
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /DATA_ALL_BROKEN: no image in .* \(1 tried\)/);
});
