/** The journal as a file: read whole, or put in the place of an old one at once. */
import { join } from 'node:path';
import { coded, hasCode, reasonOf, VitrailError } from '../../errors/errors.js';
import type { Disk, DiskFile } from '../../host/disk.js';
import type { DiskWait } from '../../host/disk-space.js';
import { journalLine, parseJournal, type JournalContent, type JournalRecord } from './journal-format.js';

export const JOURNAL_FILE = 'journal';

/** The journal of a run folder, null where there is none. @throws JOURNAL_DAMAGED */
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

/** Of a journal that could not be written. */
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
 * Puts a new journal in the old one's place, at once. Where that fails the old one stays.
 * The name is on the disk when the folder has been synced, which is left to whoever holds the new file by then.
 */
export async function writtenAnew(
  disk: Disk,
  runDir: string,
  records: readonly JournalRecord[],
  { check }: DiskWait,
): Promise<NewFile> {
  const path = join(runDir, JOURNAL_FILE);
  const temporary = join(runDir, `.tmp-${JOURNAL_FILE}`);
  // A file of its own: one that a suspended coordinator left half-written may yet be written to.
  await disk.removeFile(temporary);
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
