/** Writes files so that after a crash each has its old content or its new one, never a part. */
import { basename, dirname, join } from 'node:path';
import { hasCode } from '../errors/errors.js';
import type { Disk } from './disk.js';

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
 * Writes a hidden file next to it, which is then renamed over it.
 * Rejects with the file system's own error, and leaves the old file as it was.
 * @param content the whole content, or its pieces, of which only one is in memory at a time
 */
export async function writeFileAtomic(
  disk: Disk,
  path: string,
  content: string | Iterable<string | Uint8Array>,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.tmp-${basename(path)}`);
  try {
    await writeSynced(disk, temporary, content);
    await disk.rename(temporary, path);
  } catch (thrown) {
    await disk.removeAll(temporary);
    throw thrown;
  }
  await disk.syncFolder(folder);
}
