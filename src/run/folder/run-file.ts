/** Writes small files of the run folder whole or not at all, and waits while the disk is full. */
import { removeUnfinished, writeFileAtomic } from '../../host/atomic-file.js';
import { coded, reasonOf, VitrailError } from '../../errors/errors.js';
import { whenThereIsSpace, type DiskWait } from '../../host/disk-space.js';
import type { Disk } from '../../host/disk.js';
import type { Host } from '../../host/host.js';

/** @throws RUN_WRITE_FAILED; what the check of `wait` throws */
export async function writeRunFile(
  host: Pick<Host, 'disk' | 'process'>,
  path: string,
  content: string,
  wait: DiskWait,
): Promise<void> {
  const { check } = wait;
  try {
    await whenThereIsSpace(path, async () => writeFileAtomic(host, path, content, check), wait);
  } catch (error) {
    throw runFileError(path, error);
  }
}

/**
 * Removes what earlier coordinators left unfinished. A coordinator does this before anything else in its folder.
 * @throws RUN_WRITE_FAILED; what `check` throws
 */
export async function takeOverFiles(disk: Disk, runDir: string, check: () => Promise<void>): Promise<void> {
  try {
    await removeUnfinished(disk, runDir, check);
  } catch (error) {
    throw runFileError(runDir, error);
  }
}

function runFileError(path: string, error: unknown): VitrailError {
  return error instanceof VitrailError ? error : coded('RUN_WRITE_FAILED', { path, reason: reasonOf(error) });
}
