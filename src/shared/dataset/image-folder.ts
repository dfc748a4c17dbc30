/** Lists a folder of class folders as torchvision's ImageFolder does. */
import { readdir, realpath, stat } from 'node:fs/promises';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { coded, reasonOf } from '../errors.js';
import type { ManifestSample } from './manifest.js';
import { byCodePoints } from './name-order.js';

/** torchvision's IMG_EXTENSIONS, further names of the same formats, and GIF. */
const IMAGE_NAME = /\.(?:jpe?g|jpe|jfif|png|webp|bmp|tiff?|ppm|pgm|pbm|gif)$/i;
/** Open system calls at a time; more does not list faster. */
const CONCURRENT_STATS = 64;

async function readable<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (thrown) {
    throw coded('DATA_UNREADABLE', { path, reason: reasonOf(thrown) });
  }
}

async function isDirectory(parent: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const path = join(parent, entry.name);
  return (await readable(path, stat(path))).isDirectory();
}

/** The names of the folders in `dir`, links to folders included, sorted. */
export async function listFolders(dir: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readable(dir, readdir(dir, { withFileTypes: true }))) {
    if (await isDirectory(dir, entry)) names.push(entry.name);
  }
  return names.sort(byCodePoints);
}

interface Found {
  readonly folder: string;
  readonly name: string;
}

/** `above` holds the real paths of all folders above: a link back to one of them would never end. */
async function walk(root: string, folder: string, above: readonly string[], found: Found[]): Promise<void> {
  const dir = join(root, folder);
  const real = await readable(dir, realpath(dir));
  if (above.includes(real)) throw coded('DATA_UNREADABLE', { path: dir, reason: 'the link forms a loop' });
  for (const entry of await readable(dir, readdir(dir, { withFileTypes: true }))) {
    if (await isDirectory(dir, entry)) {
      await walk(root, `${folder}/${entry.name}`, [...above, real], found);
    } else if (IMAGE_NAME.test(entry.name)) {
      found.push({ folder, name: entry.name });
    }
  }
}

/**
 * The images below `root`/`folder`, subfolders included, with `label`.
 * Order: by folder path, then by name (torchvision's `sorted(os.walk(...))`).
 */
export async function listImages(root: string, folder: string, label: number): Promise<ManifestSample[]> {
  const found: Found[] = [];
  await walk(root, folder, [], found);
  found.sort((a, b) => byCodePoints(a.folder, b.folder) || byCodePoints(a.name, b.name));
  const samples: ManifestSample[] = [];
  for (let i = 0; i < found.length; i += CONCURRENT_STATS) {
    const sized = found.slice(i, i + CONCURRENT_STATS).map(async ({ folder: at, name }) => {
      const path = `${at}/${name}`;
      const file = join(root, path);
      return { path, bytes: (await readable(file, stat(file))).size, label };
    });
    samples.push(...(await Promise.all(sized)));
  }
  return samples;
}
