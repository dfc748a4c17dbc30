/** Reads the whole journal file, and replaces an old one atomically. */
import { join } from 'node:path';
import { coded, hasCode, reasonOf, VitrailError } from '../../errors/errors.js';
import { unfinishedPath } from '../../host/atomic-file.js';
import { closeAnyway, type Disk, type DiskFile } from '../../host/disk.js';
import type { Host } from '../../host/host.js';
import type { DiskWait } from '../../host/disk-space.js';
import { journalLine, parseJournal, type JournalContent, type JournalRecord } from './journal-format.js';

export const JOURNAL_FILE = 'journal';

/** The journal of a run folder; null if there is none. @throws JOURNAL_DAMAGED */
export async function readJournal(disk: Disk, runDir: string): Promise<JournalContent | null> {
  const path = join(runDir, JOURNAL_FILE);
  let text: string;
  try {
    text = await disk.readText(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw coded('JOURNAL_DAMAGED', { path, problem: reasonOf(error) });
  }
  const parsed = parseJournal(text);
  if (!parsed.ok) throw coded('JOURNAL_DAMAGED', { path, problem: parsed.problem });
  return parsed.content;
}

/**
 * Forces a journal to the disk that another process has written. Its last lines may be known to this machine alone, because
 * that process died before it had forced them; a power loss would take them back.
 * @throws JOURNAL_WRITE_FAILED
 */
export async function forceJournal(disk: Disk, runDir: string): Promise<void> {
  const path = join(runDir, JOURNAL_FILE);
  try {
    const file = await disk.open(path, 'a');
    try {
      await file.sync();
    } finally {
      await closeAnyway(file);
    }
    await disk.syncFolder(runDir);
  } catch (error) {
    throw journalError(path, error);
  }
}

/** The error for a journal that could not be written. */
export function journalError(path: string, error: unknown): VitrailError {
  return error instanceof VitrailError
    ? error
    : coded('JOURNAL_WRITE_FAILED', { path, reason: reasonOf(error) });
}

export interface NewFile {
  /** Open for appending. */
  readonly file: DiskFile;
  readonly bytes: number;
}

/**
 * Replaces the old journal by a new one, atomically. If that fails, the old one stays. The new name is not on
 * the disk before the folder is synced, which the caller has to do.
 */
export async function writtenAnew(
  { disk, process }: Pick<Host, 'disk' | 'process'>,
  runDir: string,
  records: readonly JournalRecord[],
  { check }: DiskWait,
): Promise<NewFile> {
  const path = join(runDir, JOURNAL_FILE);
  const temporary = unfinishedPath(path, process.randomId());
  const file = await disk.open(temporary, 'ax');
  const content = Buffer.from(records.map(journalLine).join(''));
  try {
    await file.append(content);
    await file.sync();
    await check();
    await disk.rename(temporary, path);
  } catch (error) {
    await file.close();
    await disk.removeFile(temporary);
    throw error;
  }
  return { file, bytes: content.length };
}
