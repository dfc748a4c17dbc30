/** The journal as a file: read whole, or put in the place of an old one at once. */
import { constants, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { coded, hasCode, reasonOf, VitrailError } from '../../errors/errors.js';
import type { DiskWait } from '../../host/disk-space.js';
import { journalLine, parseJournal, type JournalContent, type JournalRecord } from './journal-format.js';

export const JOURNAL_FILE = 'journal';

/** The journal of a run folder, null where there is none. @throws JOURNAL_DAMAGED */
export async function readJournal(runDir: string): Promise<JournalContent | null> {
  const path = join(runDir, JOURNAL_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
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
  readonly file: FileHandle;
  readonly bytes: number;
}

/**
 * Puts a new journal in the old one's place, at once. Where that fails the old one stays.
 * The name is on the disk when the folder has been synced, which is left to whoever holds the new file by then.
 */
export async function writtenAnew(
  runDir: string,
  records: readonly JournalRecord[],
  { check }: DiskWait,
): Promise<NewFile> {
  const path = join(runDir, JOURNAL_FILE);
  const temporary = join(runDir, `.tmp-${JOURNAL_FILE}`);
  const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY } = constants;
  // A file of its own: one that a suspended coordinator left half-written may yet be written to.
  await rm(temporary, { force: true });
  const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
  const content = Buffer.from(records.map(journalLine).join(''));
  try {
    await file.writeFile(content);
    await file.sync();
    check();
    await rename(temporary, path);
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
  return { file, bytes: content.length };
}
