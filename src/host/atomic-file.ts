/** Writes that survive a crash: a file has its old content or its new one, never a part. */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasCode } from '../errors/errors.js';

/** Forces a folder's entries (names, renames) to the disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Makes a folder and those above it, and forces their entries to the disk.
 * (mkdir's own `recursive` never returns where a folder says ENOENT and yet exists, as /proc does.)
 */
export async function makeFolder(path: string): Promise<void> {
  const parent = dirname(path);
  try {
    await mkdir(path);
  } catch (thrown) {
    if (hasCode(thrown, 'EEXIST')) return;
    if (!hasCode(thrown, 'ENOENT') || parent === path) throw thrown;
    await makeFolder(parent);
    await mkdir(path);
  }
  await syncFolder(parent);
}

/** Writes a file and forces it to the disk, in place. */
export async function writeSynced(
  path: string,
  content: string | Iterable<string | Uint8Array>,
): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const piece of typeof content === 'string' ? [content] : content) await file.appendFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Writes a file by way of a hidden sibling that is renamed over it.
 * Rejects with the file system's own error, and leaves the old file as it was.
 * @param content whole, or in pieces of which one after the other is in memory
 */
export async function writeFileAtomic(
  path: string,
  content: string | Iterable<string | Uint8Array>,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.tmp-${basename(path)}`);
  try {
    await writeSynced(temporary, content);
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true });
    throw thrown;
  }
  await syncFolder(folder);
}
