/** Writes small files of the run folder whole or not at all, and waits while the disk is full. */
import { writeFileAtomic } from '../../host/atomic-file.js';
import { coded, reasonOf, VitrailError } from '../../errors/errors.js';
import type { Disk } from '../../host/disk.js';
import { whenThereIsSpace, type DiskWait } from '../../host/disk-space.js';

/** @throws RUN_WRITE_FAILED */
export async function writeRunFile(disk: Disk, path: string, content: string, wait: DiskWait): Promise<void> {
  try {
    await whenThereIsSpace(path, async () => writeFileAtomic(disk, path, content), wait);
  } catch (error) {
    if (error instanceof VitrailError) throw error;
    throw coded('RUN_WRITE_FAILED', { path, reason: reasonOf(error) });
  }
}
