/**
 * Tells whether a folder holds splits or class folders. Names alone do not tell, because a class may be
 * called test.
 */
import { join } from 'node:path';
import { coded } from '../../errors/errors.js';
import { listFolders } from './image-folder.js';

/** Folders of validation images; the second is what Roboflow exports. */
const VAL_FOLDERS: readonly string[] = ['val', 'valid', 'validation'];
/** Whether a split of this name is of validation images. */
export function isValFolder(name: string): boolean {
  return VAL_FOLDERS.includes(name);
}

const SPLIT_FOLDERS: readonly string[] = ['train', ...VAL_FOLDERS, 'test'];

export function isSplitFolder(name: string): boolean {
  return SPLIT_FOLDERS.includes(name);
}

/**
 * Whether `dir` is a data set with splits. If not, it holds the class folders of a model with `classes`. A
 * folder with the name of a split is a split, unless a class has that name as well. Then it is a split if it
 * holds class folders.
 */
export async function holdsSplits(dir: string, classes: readonly string[]): Promise<boolean> {
  const known = new Set(classes);
  const folders = await listFolders(dir);
  // A folder of splits has no other folders.
  if (folders.some((name) => known.has(name) && !SPLIT_FOLDERS.includes(name))) return false;
  for (const name of folders.filter((folder) => SPLIT_FOLDERS.includes(folder))) {
    if (!known.has(name)) return true;
    if ((await listFolders(join(dir, name))).some((inner) => known.has(inner))) return true;
  }
  return false;
}

export interface EvaluatedFolders {
  /** Null if there is none. */
  readonly val: string | null;
  readonly test: string | null;
}

/** Which splits besides train the data set `dir` has. @throws DATA_VAL_TWICE, DATA_UNREADABLE */
export async function evaluatedFolders(dir: string): Promise<EvaluatedFolders> {
  const folders = new Set(await listFolders(dir));
  const [val = null, other] = VAL_FOLDERS.filter((name) => folders.has(name));
  if (val !== null && other !== undefined) throw coded('DATA_VAL_TWICE', { path: dir, val, other });
  return { val, test: folders.has('test') ? 'test' : null };
}
