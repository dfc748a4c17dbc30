/** Reads a data folder into a manifest, and refuses a data set that cannot be trained on. */
import { basename, dirname, join, resolve } from 'node:path';
import { coded, type VitrailError } from '../../errors/errors.js';
import { evaluatedFolders, isSplitFolder, isValFolder } from './dataset-layout.js';
import {
  isDirectory,
  readExclusion,
  requireDirectory,
  surveySplits,
  unknownExclusion,
  type DatasetSurvey,
} from './dataset-survey.js';
import { findingText, type Finding } from './findings.js';
import type { BrokenFile } from './folder-entries.js';
import { emptyNotes, listClasses, listImages } from './image-folder.js';
import { listing } from './listing.js';
import { sealManifest, sealSplit } from './manifest-digest.js';
import type { Manifest, ManifestSample, SplitManifest } from './manifest.js';
import { pathText } from './path-text.js';
import { divideTrain, type ValSplit } from './val-split.js';

export interface ScanOptions {
  /** Path of an exclude list, or null. */
  readonly exclude?: string | null;
  /** How many validation images to take from train, if there are none; null for none. */
  readonly valSplit?: ValSplit | null;
  /** Called with one line for each kind of finding, such as files that are left out. */
  readonly say?: (line: string) => void;
  /**
   * Called for every file that cannot be used, which is then left out. Without it such files are an error.
   */
  readonly onBroken?: ((file: BrokenFile) => void) | null;
}

const MOST_NAMED = 10;

function requireSound(path: string, broken: readonly BrokenFile[], onBroken: ScanOptions['onBroken']): void {
  if (broken.length === 0) return;
  if (onBroken != null) {
    for (const file of broken) onBroken(file);
    return;
  }
  const files = broken.slice(0, MOST_NAMED).map((file) => `${pathText(file.path)} (${file.reason})`);
  const list = listing(files, MOST_NAMED, broken.length);
  throw coded('DATA_UNUSABLE_FILES', { path, count: broken.length, list });
}

function tell(findings: readonly Finding[], say: ScanOptions['say']): void {
  if (say !== undefined) for (const finding of findings) say(findingText(finding));
}

/** If `dir` itself is a split of a data set, the folder above it was meant. */
async function noSplit(dir: string, split: string): Promise<VitrailError> {
  const above = dirname(resolve(dir));
  const isSplit = isSplitFolder(basename(resolve(dir)));
  const advice =
    isSplit && (await isDirectory(join(above, 'train')))
      ? `give the folder above it, which holds the splits: --data ${above}`
      : `lay the images out as ${dir}/${split}/CLASS/IMAGE`;
  return coded('DATA_NO_SPLIT', { path: dir, split, advice });
}

/**
 * Surveys the data folder `dir`: dir/train/CLASS/IMAGE, and the same below val and test as far as they are there.
 * @throws DATA_NOT_A_DIRECTORY, DATA_NO_SPLIT, DATA_VAL_TWICE, DATA_UNREADABLE of the exclude list
 */
export async function surveyDataset(dir: string, exclude: string | null = null): Promise<DatasetSurvey> {
  await requireDirectory(dir);
  if (!(await isDirectory(join(dir, 'train')))) throw await noSplit(dir, 'train');
  const { val, test } = await evaluatedFolders(dir);
  const names = ['train', val, test].filter((name) => name !== null);
  return surveySplits(dir, names, exclude);
}

/** The manifest of the images that a survey has found. */
export function manifestOf({ classes, splits }: DatasetSurvey, valSplit: ValSplit | null = null): Manifest {
  const of = (is: (name: string) => boolean): readonly ManifestSample[] =>
    splits.find(({ name }) => is(name))?.samples ?? [];
  const [train, test] = [of((name) => name === 'train'), of((name) => name === 'test')];
  if (valSplit === null) return sealManifest(classes, train, test, of(isValFolder));
  const divided = divideTrain(train, valSplit);
  return sealManifest(classes, divided.train, test, divided.val);
}

/**
 * The manifest of the data folder `dir`. Excluded images are in neither list nor digest.
 * @throws what surveyDataset throws, DATA_NOTHING_TO_EVALUATE, DATA_VAL_EXISTS, DATA_UNUSABLE_FILES, DATA_EMPTY, DATA_EMPTY_CLASS, DATA_ONE_CLASS,
 *   DATA_CLASSES_DIFFER, DATA_EXCLUDE_UNKNOWN
 */
export async function scanDataset(dir: string, options: ScanOptions = {}): Promise<Manifest> {
  const survey = await surveyDataset(dir, options.exclude ?? null);
  const { valSplit = null } = options;
  const val = survey.splits.find(({ name }) => isValFolder(name));
  if (val !== undefined && valSplit !== null) throw coded('DATA_VAL_EXISTS', { path: dir, val: val.name });
  if (survey.splits.length === 1 && valSplit === null) throw coded('DATA_NOTHING_TO_EVALUATE', { path: dir });
  tell(survey.findings, options.say);
  // A class may be empty because its files are broken, so broken files are reported first.
  requireSound(dir, survey.broken, options.onBroken);
  if (survey.problems[0] !== undefined) throw survey.problems[0];
  return manifestOf(survey, valSplit);
}

/**
 * The images of `dir`/CLASS/IMAGE, a folder without train and test, with labels into `classes` (a model's own).
 * A class without a folder is allowed; a folder without a class is not.
 * @throws DATA_NOT_A_DIRECTORY, DATA_UNUSABLE_FILES, DATA_EMPTY, DATA_EMPTY_CLASS, DATA_CLASSES_DIFFER,
 *   DATA_UNREADABLE, DATA_EXCLUDE_UNKNOWN
 */
export async function scanImages(
  dir: string,
  classes: readonly string[],
  options: ScanOptions = {},
): Promise<SplitManifest> {
  await requireDirectory(dir);
  const exclude = options.exclude ?? null;
  const notes = emptyNotes(await readExclusion(exclude));
  const folders = new Set(await listClasses(dir, '', notes));
  const known = new Set(classes);
  const extra = [...folders].filter((name) => !known.has(name)).map((name) => `"${pathText(name)}"`);
  if (extra.length > 0) {
    const difference = `${listing(extra, MOST_NAMED)}: no class of the model`;
    throw coded('DATA_CLASSES_DIFFER', { split: dir, difference });
  }
  const lists: ManifestSample[][] = [];
  const empty: string[] = [];
  for (const [label, name] of classes.entries()) {
    if (!folders.has(name)) continue;
    const images = await listImages(dir, name, label, notes);
    if (images.length === 0) empty.push(pathText(join(dir, name)));
    lists.push(images);
  }
  tell(notes.tally.findings(), options.say);
  requireSound(dir, notes.broken, options.onBroken);
  if (empty.length > 0) throw coded('DATA_EMPTY_CLASS', { path: listing(empty, MOST_NAMED) });
  const [unknown] = unknownExclusion(exclude, notes.exclusion);
  if (unknown !== undefined) throw unknown;
  const samples = lists.flat();
  if (samples.length === 0) throw coded('DATA_EMPTY', { path: dir });
  return sealSplit(samples);
}
