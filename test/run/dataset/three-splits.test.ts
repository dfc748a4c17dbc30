/** train, val and test: which folder is which, and by which images a run's best is chosen. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { choiceNote } from '../../../src/coordinator/watch/choice-note.js';
import { resolveConfig, type OptionValues } from '../../../src/run/config/config.js';
import { choosingSplit, hasFinalTest, type Manifest } from '../../../src/run/dataset/manifest.js';
import { scanDataset } from '../../../src/run/dataset/dataset-scan.js';
import { temporaryFolder, writeFiles } from '../../worker/data/temporary-files.js';

/** A data set of two classes with one image of each in every one of `folders`. */
async function dataset(t: TestContext, ...folders: readonly string[]): Promise<string> {
  const dir = await temporaryFolder(t);
  const files = folders.flatMap((folder) => [`${folder}/a/1.jpg`, `${folder}/b/1.jpg`]);
  await writeFiles(dir, Object.fromEntries(files.map((path) => [path, 'x'])));
  return dir;
}
const folderOf = ({ samples }: Manifest['val']): string => samples[0]?.path.split('/')[0] ?? 'none';
const note = (manifest: Manifest, values: OptionValues = {}): string | null =>
  choiceNote(resolveConfig({ flags: { data: '/photos', ...values } }), manifest);

for (const [folders, val, tested, said] of [
  [['train', 'val', 'test'], 'val', 'test', null],
  [['train', 'valid', 'test'], 'valid', 'test', null],
  [['train', 'validation', 'test'], 'validation', 'test', null],
  [['train', 'test'], 'none', 'test', /chosen by the test images.*optimistic.*--val-split 0.1/],
  [['train', 'valid'], 'valid', 'none', /no test images.*chosen by the validation images.*optimistic/],
] as const) {
  test(`${folders.join(', ')}: ${val} chooses, ${tested} tests`, async (t) => {
    const manifest = await scanDataset(await dataset(t, ...folders));
    assert.deepEqual([folderOf(manifest.val), folderOf(manifest.test)], [val, tested]);
    assert.equal(choosingSplit(manifest), val === 'none' ? 'test' : 'val');
    assert.equal(hasFinalTest(manifest), said === null);
    if (said === null) assert.equal(note(manifest), null);
    else assert.match(note(manifest) ?? '', said);
  });
}

test('two folders of validation images are one too many', async (t) => {
  await assert.rejects(scanDataset(await dataset(t, 'train', 'val', 'valid')), {
    code: 'DATA_VAL_TWICE',
    message: /both val and valid/,
  });
});

test('early stopping may not watch test images that are kept for the end', async (t) => {
  const three = await scanDataset(await dataset(t, 'train', 'val', 'test'));
  const two = await scanDataset(await dataset(t, 'train', 'test'));
  const watching = { earlyStopMetric: 'test-accuracy', earlyStopPatience: 3 };
  assert.throws(() => note(three, watching), {
    code: 'CONFIG_INVALID_VALUE',
    message: /"early-stop-metric" is test-accuracy.*val-accuracy/,
  });
  assert.match(note(two, watching) ?? '', /optimistic/);
  assert.equal(note(three, { ...watching, earlyStopPatience: 0 }), null);
});
