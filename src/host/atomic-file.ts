/** Writes files so that after a crash each has its old content or its new one, never a part. */
import { basename, dirname, join } from 'node:path';
import { hasCode } from '../errors/errors.js';
import type { Disk } from './disk.js';
import type { Host } from './host.js';

/** The names of unfinished files begin with this: those being written, and those whose writer has ended. */
const UNFINISHED = '.tmp-';

/**
 * Creates a folder and those above it, and forces their entries to the disk.
 * (mkdir's own `recursive` never returns if mkdir gives ENOENT in a folder that exists, as in /proc.)
 * @returns false if the folder was there already
 */
export async function makeFolders(disk: Disk, path: string): Promise<boolean> {
  const parent = dirname(path);
  try {
    await disk.makeFolder(path);
  } catch (thrown) {
    if (hasCode(thrown, 'EEXIST')) {
      // The process that created it may have died before its name was on the disk. We may not be allowed to
      // sync another's folder.
      await disk.syncFolder(parent).catch((error: unknown) => {
        if (!hasCode(error, 'EACCES', 'EPERM', 'EINVAL')) throw error;
      });
      return false;
    }
    if (!hasCode(thrown, 'ENOENT') || parent === path) throw thrown;
    await makeFolders(disk, parent);
    await disk.makeFolder(path);
  }
  await disk.syncFolder(parent);
  return true;
}

/** Writes a file and forces it to the disk, in place. */
export async function writeSynced(
  disk: Disk,
  path: string,
  content: string | Iterable<string | Uint8Array>,
): Promise<void> {
  const file = await disk.open(path, 'w');
  try {
    for (const piece of typeof content === 'string' ? [content] : content) {
      await file.append(typeof piece === 'string' ? Buffer.from(piece) : piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * The path for a file that is then renamed to `path`. Every write uses a name of its own, because another writer may be
 * suspended and go on later.
 * @param id an identifier that no other write has
 */
export function unfinishedPath(path: string, id: string): string {
  return join(dirname(path), `${UNFINISHED}${basename(path)}-${id}`);
}

/**
 * Writes a hidden file next to it, which is then renamed over it.
 * Rejects with the file system's own error or the error of `check`, and leaves the old file as it was.
 * @param content the whole content, or its pieces, of which only one is in memory at a time
 * @param check throws if the folder belongs to another writer by now; without it any process may write
 */
export async function writeFileAtomic(
  { disk, process }: Pick<Host, 'disk' | 'process'>,
  path: string,
  content: string | Iterable<string | Uint8Array>,
  check: () => Promise<void> = async () => Promise.resolve(),
): Promise<void> {
  const temporary = unfinishedPath(path, process.randomId());
  try {
    await writeSynced(disk, temporary, content);
    await check();
    await disk.rename(temporary, path);
  } catch (thrown) {
    await disk.removeAll(temporary);
    throw thrown;
  }
  await disk.syncFolder(dirname(path));
}

/**
 * Removes files that earlier writers were writing when they ended. If such a writer was only suspended, its rename
 * fails when it goes on, so it cannot replace a file of the folder's new owner.
 * @param check throws if the folder belongs to another writer by now
 */
export async function removeUnfinished(
  disk: Disk,
  folder: string,
  check: () => Promise<void>,
): Promise<void> {
  const unfinished = (await disk.list(folder)).filter((name) => name.startsWith(UNFINISHED));
  // The list comes before the check, so no file in it belongs to a later writer.
  await check();
  for (const name of unfinished) await disk.removeAll(join(folder, name));
}
