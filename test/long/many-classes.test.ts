/** ImageNet-21k has 21,841 classes: a run of as many ends with a small summary, in a heap that holds no matrix of them. */
import assert from 'node:assert/strict';
import { linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startCli, temporaryFolder } from '../end-to-end/cli-run.js';

const CLASSES = 21_841;
const SIDE = 8;
/** A file system may not give one file more names. */
const NAMES_OF_A_FILE = 8192;
/** Of class by class there would be 477 million counts. */
const SMALL_HEAP = { NODE_OPTIONS: '--max-old-space-size=512' };

const folder = temporaryFolder();
const data = join(folder.path, 'data');

after(() => folder.remove());

/** A folder for each class, with one image: all are names of a few grey files. The test split is the same folder. */
function linkedDataset(): void {
  let file = '';
  for (let label = 0; label < CLASSES; label++) {
    if (label % NAMES_OF_A_FILE === 0) {
      file = join(folder.path, `${label}.ppm`);
      const pixels = Buffer.alloc(3 * SIDE * SIDE, (label / NAMES_OF_A_FILE) * 80);
      writeFileSync(file, Buffer.concat([Buffer.from(`P6 ${SIDE} ${SIDE} 255\n`), pixels]));
    }
    const classDir = join(data, 'train', `n${String(label).padStart(8, '0')}`);
    mkdirSync(classDir, { recursive: true });
    linkSync(file, join(classDir, 'image.ppm'));
  }
  symlinkSync('train', join(data, 'test'));
}

interface Summary {
  readonly completed: boolean;
  readonly classes: readonly string[];
  readonly test: { readonly samples: number };
  readonly confusion: null;
  readonly mistakes: readonly object[];
  readonly weakestClasses: readonly object[];
}

test('a run of 21,841 classes ends with a summary, a journal and a log that stay small', async () => {
  linkedDataset();
  const out = join(folder.path, 'run');
  const run = startCli(
    [
      ...['train', '--data', data, '--out', out, '--model', `vit-micro/${SIDE}`, '--image-size', `${SIDE}`],
      ...['--batch', '64', '--micro-batch', '64', '--steps', '1', '--workers', '1'],
    ],
    SMALL_HEAP,
  );
  const { code, stderr } = await run.done;
  assert.equal(code, 0, stderr);
  const file = join(out, 'summary.json');
  const summary = JSON.parse(readFileSync(file, 'utf8')) as Summary;
  assert.deepEqual([summary.completed, summary.classes.length, summary.confusion], [true, CLASSES, null]);
  assert.deepEqual(
    [summary.test.samples, summary.mistakes.length, summary.weakestClasses.length],
    [CLASSES, 20, 20],
  );
  assert.ok(statSync(file).size < 2 ** 20, `${statSync(file).size} bytes`);
  assert.ok(statSync(join(out, 'journal')).size < 2 ** 16);
  assert.ok(statSync(join(out, 'metrics.jsonl')).size < 2 ** 16);
});
