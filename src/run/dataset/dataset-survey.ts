/** Reads a whole data folder, whatever is wrong with it. Collects its images and all findings. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { coded, reasonOf, type VitrailError } from '../../errors/errors.js';
import { differenceOfClasses, findAlikeClasses, findDominantClass, findFewImages } from './class-names.js';
import { Exclusion, parseExcludeList } from './exclude-list.js';
import type { Finding } from './findings.js';
import type { BrokenFile, ScanNotes } from './folder-entries.js';
import { emptyNotes, listClasses, listImages } from './image-folder.js';
import { listing } from './listing.js';
import type { ManifestSample } from './manifest.js';
import { pathText } from './path-text.js';

export interface SplitSurvey {
  /** The folder's name. */
  readonly name: string;
  readonly samples: readonly ManifestSample[];
}

export interface DatasetSurvey {
  /** The classes of train. */
  readonly classes: readonly string[];
  /** Train first. */
  readonly splits: readonly SplitSurvey[];
  /** Files and folders that cannot be used, in the order of the splits. */
  readonly broken: readonly BrokenFile[];
  readonly findings: readonly Finding[];
  /** Why the data set as a whole cannot be trained on. */
  readonly problems: readonly VitrailError[];
}

const MOST_NAMED = 5;

export async function isDirectory(path: string): Promise<boolean> {
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

export async function readExclusion(path: string | null): Promise<Exclusion> {
  if (path === null) return new Exclusion();
  try {
    return new Exclusion(parseExcludeList(await readFile(path, 'utf8')));
  } catch (thrown) {
    throw coded('DATA_UNREADABLE', { path, reason: reasonOf(thrown) });
  }
}

/** Reports paths of an exclude list that are not in the data set. */
export function unknownExclusion(exclude: string | null, exclusion: Exclusion): VitrailError[] {
  const unknown = exclusion.unmet();
  if (exclude === null || unknown.length === 0) return [];
  return [
    coded('DATA_EXCLUDE_UNKNOWN', { path: exclude, entry: listing(unknown.map(pathText), MOST_NAMED) }),
  ];
}

export function countsByLabel(classes: readonly string[], samples: readonly ManifestSample[]): number[] {
  const counts = new Array<number>(classes.length).fill(0);
  for (const { label } of samples) counts[label]!++;
  return counts;
}

/** Reports that a split has no images, or which of its classes have none. */
function emptiness(dir: string, classes: readonly string[], { name, samples }: SplitSurvey): VitrailError[] {
  const path = join(dir, name);
  if (samples.length === 0) return [coded('DATA_EMPTY', { path })];
  const counts = countsByLabel(classes, samples);
  const empty = classes.filter((_, label) => counts[label] === 0).map((of) => pathText(join(path, of)));
  return empty.length === 0 ? [] : [coded('DATA_EMPTY_CLASS', { path: listing(empty, MOST_NAMED) })];
}

async function samplesOf(
  dir: string,
  split: string,
  classes: readonly string[],
  there: ReadonlySet<string>,
  notes: ScanNotes,
): Promise<ManifestSample[]> {
  const lists: ManifestSample[][] = [];
  for (const [label, name] of classes.entries()) {
    if (there.has(name)) lists.push(await listImages(dir, `${split}/${name}`, label, notes));
  }
  return lists.flat();
}

/**
 * Surveys `names`, folders of `dir`, train first. `exclude` is the path of an exclude list, or null.
 * @throws DATA_UNREADABLE of the exclude list
 */
export async function surveySplits(
  dir: string,
  names: readonly string[],
  exclude: string | null,
): Promise<DatasetSurvey> {
  const exclusion = await readExclusion(exclude);
  const notes = emptyNotes(exclusion);
  const problems: VitrailError[] = [];
  const splits: SplitSurvey[] = [];
  let classes: readonly string[] = [];
  for (const [i, name] of names.entries()) {
    const folders = await listClasses(dir, name, notes);
    if (i === 0) {
      classes = folders;
      findAlikeClasses(classes, notes.tally);
      const path = join(dir, name);
      if (classes.length === 1)
        problems.push(coded('DATA_ONE_CLASS', { path, className: String(classes[0]) }));
    } else {
      const difference = differenceOfClasses(folders, classes);
      if (difference !== null) problems.push(coded('DATA_CLASSES_DIFFER', { split: name, difference }));
    }
    splits.push({ name, samples: await samplesOf(dir, name, classes, new Set(folders), notes) });
  }
  problems.push(...unknownExclusion(exclude, exclusion));
  for (const split of splits) {
    problems.push(...emptiness(dir, classes, split));
    const counts = countsByLabel(classes, split.samples);
    findFewImages(split.name, classes, counts, notes.tally);
    findDominantClass(split.name, classes, counts, notes.tally);
  }
  return { classes, splits, broken: notes.broken, findings: notes.tally.findings(), problems };
}
