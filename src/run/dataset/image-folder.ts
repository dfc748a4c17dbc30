/** Lists the images of a class folder in the order of torchvision's ImageFolder. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { Exclusion } from './exclude-list.js';
import { FindingTally } from './findings.js';
import { childPath, folderEntries, type ScanNotes } from './folder-entries.js';
import type { ManifestSample } from './manifest.js';
import { byCodePoints } from './name-order.js';
import { pathText } from './path-text.js';

export function emptyNotes(exclusion = new Exclusion()): ScanNotes {
  return { broken: [], tally: new FindingTally(), exclusion };
}

/** The sorted names of the folders in `dir` that may be splits or classes; empty if `dir` cannot be read. */
export async function listFolders(dir: string): Promise<readonly string[]> {
  return (await folderEntries(dir, '', emptyNotes())).folders;
}

interface Found {
  readonly folder: string;
  readonly samples: readonly ManifestSample[];
}

/** The sorted names of the class folders in `root`/`folder`. Images next to them belong to no class. */
export async function listClasses(
  root: string,
  folder: string,
  notes: ScanNotes,
): Promise<readonly string[]> {
  const { folders, images } = await folderEntries(root, folder, notes);
  for (const { name } of images) notes.tally.add('outside-classes', pathText(childPath(folder, name)));
  return folders;
}

/**
 * `above` holds the real paths of all folders above, because a link back to one of them would lead into an
 * endless loop.
 */
async function walk(
  root: string,
  folder: string,
  label: number,
  above: readonly string[],
  found: Found[],
  notes: ScanNotes,
): Promise<void> {
  // A folder that has vanished has no real path. Reading it will report that.
  const real = await realpath(join(root, folder)).catch(() => null);
  if (real !== null && above.includes(real)) {
    notes.broken.push({ path: folder, reason: 'the link leads back to a folder above it' });
    return;
  }
  const { folders, images } = await folderEntries(root, folder, notes);
  const samples = images.map(({ name, bytes }) => ({ path: `${folder}/${name}`, bytes, label }));
  found.push({ folder, samples });
  const inside = real === null ? above : [...above, real];
  for (const name of folders) await walk(root, `${folder}/${name}`, label, inside, found, notes);
}

/** The folders above `folder`, from the data folder down. */
function foldersAbove(folder: string): string[] {
  const parts = folder.split('/');
  return parts.map((_, i) => parts.slice(0, i).join('/'));
}

/**
 * The images below `root`/`folder`, subfolders included, with `label`.
 * Order: by folder path, then by name (torchvision's `sorted(os.walk(...))`).
 */
export async function listImages(
  root: string,
  folder: string,
  label: number,
  notes: ScanNotes,
): Promise<ManifestSample[]> {
  const found: Found[] = [];
  const above = await Promise.all(
    foldersAbove(folder).map(async (of) => realpath(join(root, of)).catch(() => '')),
  );
  await walk(root, folder, label, above, found, notes);
  found.sort((a, b) => byCodePoints(a.folder, b.folder));
  return found.flatMap(({ samples }) => samples);
}
