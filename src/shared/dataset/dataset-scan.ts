/** Reads a data folder into a manifest, and refuses what cannot be trained on. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { coded, reasonOf } from '../errors.js';
import { excludeSamples, parseExcludeList } from './exclude-list.js';
import { listFolders, listImages } from './image-folder.js';
import { sealManifest, sealSplit } from './manifest-digest.js';
import type { Manifest, ManifestSample, SplitManifest } from './manifest.js';

export interface ScanOptions {
  /** Path of an exclude list, or null. */
  readonly exclude?: string | null;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** @throws DATA_NOT_A_DIRECTORY */
export async function requireDirectory(path: string): Promise<void> {
  if (!(await isDirectory(path))) throw coded('DATA_NOT_A_DIRECTORY', { path });
}

async function readExcludeList(path: string): Promise<string[]> {
  try {
    return parseExcludeList(await readFile(path, 'utf8'));
  } catch (thrown) {
    throw coded('DATA_UNREADABLE', { path, reason: reasonOf(thrown) });
  }
}

function differenceOfClasses(classes: readonly string[], train: readonly string[]): string | null {
  const missing = train.find((name) => !classes.includes(name));
  if (missing !== undefined) return `"${missing}" is missing`;
  const extra = classes.find((name) => !train.includes(name));
  return extra === undefined ? null : `"${extra}" is not in train`;
}

/** Refuses a split without images, and a class without images. `folderOf` gives the path of a class to name. */
function requireImages(
  path: string,
  classes: readonly string[],
  samples: readonly ManifestSample[],
  folderOf: (name: string) => string,
): void {
  if (samples.length === 0) throw coded('DATA_EMPTY', { path });
  const filled = new Set(samples.map(({ label }) => label));
  const empty = classes.find((_, label) => !filled.has(label));
  if (empty !== undefined) throw coded('DATA_EMPTY_CLASS', { path: folderOf(empty) });
}

async function samplesOf(dir: string, prefix: string, classes: readonly string[]): Promise<ManifestSample[]> {
  const lists: ManifestSample[] = [];
  for (const [label, name] of classes.entries()) {
    for (const sample of await listImages(dir, `${prefix}${name}`, label)) lists.push(sample);
  }
  return lists;
}

/**
 * The manifest of the data folder `dir`: dir/train/CLASS/IMAGE and dir/test/CLASS/IMAGE (or val, where there is
 * no test). Excluded images are in neither list nor digest.
 * @throws DATA_NOT_A_DIRECTORY, DATA_NO_SPLIT, DATA_EMPTY, DATA_EMPTY_CLASS, DATA_ONE_CLASS,
 *   DATA_CLASSES_DIFFER, DATA_UNREADABLE, DATA_EXCLUDE_UNKNOWN
 */
export async function scanDataset(dir: string, options: ScanOptions = {}): Promise<Manifest> {
  await requireDirectory(dir);
  if (!(await isDirectory(join(dir, 'train')))) throw coded('DATA_NO_SPLIT', { path: dir, split: 'train' });
  const testName = (await isDirectory(join(dir, 'test'))) ? 'test' : 'val';
  if (!(await isDirectory(join(dir, testName)))) {
    throw coded('DATA_NO_SPLIT', { path: dir, split: 'test (or val)' });
  }

  const classes = await listFolders(join(dir, 'train'));
  if (classes.length === 0) throw coded('DATA_EMPTY', { path: join(dir, 'train') });
  if (classes.length === 1) {
    throw coded('DATA_ONE_CLASS', { path: join(dir, 'train'), className: String(classes[0]) });
  }
  const difference = differenceOfClasses(await listFolders(join(dir, testName)), classes);
  if (difference !== null) throw coded('DATA_CLASSES_DIFFER', { split: testName, difference });

  let train = await samplesOf(dir, 'train/', classes);
  let test = await samplesOf(dir, `${testName}/`, classes);
  const exclude = options.exclude ?? null;
  if (exclude !== null) {
    const paths = await readExcludeList(exclude);
    const { kept, unknown } = excludeSamples([...train, ...test], paths);
    if (unknown[0] !== undefined) throw coded('DATA_EXCLUDE_UNKNOWN', { path: exclude, entry: unknown[0] });
    const isKept = new Set(kept);
    train = train.filter((sample) => isKept.has(sample));
    test = test.filter((sample) => isKept.has(sample));
  }
  for (const [split, samples] of [['train', train] as const, [testName, test] as const]) {
    requireImages(join(dir, split), classes, samples, (name) => join(dir, split, name));
  }
  return sealManifest(classes, train, test);
}

/**
 * The images of `dir`/CLASS/IMAGE, a folder without train and test, with labels into `classes` (a model's own).
 * Classes without a folder are allowed; a folder that is no class is not.
 * @throws DATA_NOT_A_DIRECTORY, DATA_EMPTY, DATA_EMPTY_CLASS, DATA_CLASSES_DIFFER, DATA_UNREADABLE
 */
export async function scanImages(dir: string, classes: readonly string[]): Promise<SplitManifest> {
  await requireDirectory(dir);
  const folders = await listFolders(dir);
  const extra = folders.find((name) => !classes.includes(name));
  if (extra !== undefined) {
    throw coded('DATA_CLASSES_DIFFER', { split: dir, difference: `"${extra}" is no class of the model` });
  }
  const samples: ManifestSample[] = [];
  for (const [label, name] of classes.entries()) {
    if (!folders.includes(name)) continue;
    const images = await listImages(dir, name, label);
    if (images.length === 0) throw coded('DATA_EMPTY_CLASS', { path: join(dir, name) });
    for (const image of images) samples.push(image);
  }
  if (samples.length === 0) throw coded('DATA_EMPTY', { path: dir });
  return sealSplit(samples);
}
