/**
 * Reads one folder of a data set: finds the entries that can be used, and notes what happens to the others.
 */
import { readdir, readlink, stat } from 'node:fs/promises';
import type { Dirent, Stats } from 'node:fs';
import { join } from 'node:path';
import {
  accessFault,
  decideEntry,
  isCompanion,
  type EntryDecision,
  type EntryKind,
} from './entry-decision.js';
import type { Exclusion } from './exclude-list.js';
import type { FindingTally } from './findings.js';
import { byCodePoints } from './name-order.js';
import { pathOfBytes, pathText, utf8Text } from './path-text.js';

/** A file or folder that cannot be used, and why. */
export interface BrokenFile {
  /** Relative to the data folder; in the quoted form if the name is not UTF-8. */
  readonly path: string;
  readonly reason: string;
}

/** What a scan reports. */
export interface ScanNotes {
  /** All broken files and folders, in the order in which the scan finds them. */
  readonly broken: BrokenFile[];
  readonly tally: FindingTally;
  readonly exclusion: Exclusion;
}

export interface ImageFile {
  readonly name: string;
  readonly bytes: number;
}

export interface FolderEntries {
  /** Links to folders count as folders. Folders and images are sorted. */
  readonly folders: readonly string[];
  readonly images: readonly ImageFile[];
}

/** System calls at the same time. More of them do not make it faster. */
const CONCURRENT_STATS = 64;

interface Entry {
  /** The bytes of the name if it is not UTF-8, else null. */
  readonly raw: Buffer | null;
  readonly path: string;
  /** The name, or as much of it as can be shown. */
  readonly name: string;
  /** Null for a link, because it is not known yet what it leads to. */
  readonly kind: EntryKind | null;
}

interface Looked {
  readonly entry: Entry;
  readonly decision: EntryDecision;
  readonly bytes: number;
}

export const childPath = (folder: string, name: string): string =>
  folder === '' ? name : `${folder}/${name}`;

function kindOf(entry: Dirent<Buffer> | Dirent | Stats): EntryKind {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  if (entry.isFIFO()) return 'FIFO';
  return entry.isSocket() ? 'socket' : 'device';
}

const codeOf = (thrown: unknown): string => (thrown as NodeJS.ErrnoException).code ?? String(thrown);

function entryOf(folder: string, name: string, kind: EntryKind | null): Entry {
  return { raw: null, path: childPath(folder, name), name, kind };
}

function entryOfBytes(folder: string, raw: Buffer, kind: EntryKind | null): Entry {
  const text = utf8Text(raw);
  if (text !== null) return entryOf(folder, text, kind);
  const path = pathOfBytes(Buffer.concat([Buffer.from(childPath(folder, '')), raw]));
  return { raw, path, name: raw.toString('latin1'), kind };
}

const kindOfEntry = (dirent: Dirent<Buffer> | Dirent): EntryKind | null =>
  dirent.isSymbolicLink() ? null : kindOf(dirent);

/** Asks for kind and size without opening the file, because opening a FIFO would wait for a writer. */
async function look(dir: string, entry: Entry): Promise<Looked> {
  const { raw, name, kind } = entry;
  const decided = kind === null ? null : decideEntry(name, raw === null, kind);
  // The size matters only for images.
  if (decided !== null && !isImage(decided)) return { entry, decision: decided, bytes: 0 };
  const file = raw === null ? `${dir}/${name}` : Buffer.concat([Buffer.from(`${dir}/`), raw]);
  try {
    const stats = await stat(file);
    const now = kindOf(stats);
    const decision = decided !== null && now === kind ? decided : decideEntry(name, raw === null, now);
    return { entry, decision: emptyOr(decision, stats.size), bytes: stats.size };
  } catch (thrown) {
    const target = kind === null ? await readlink(file).catch(() => null) : null;
    const fault = accessFault(codeOf(thrown), target === null ? null : pathText(target));
    const decision: EntryDecision = isCompanion(name) ? { leftOut: 'companion-file' } : { broken: fault };
    return { entry, decision, bytes: 0 };
  }
}

const isImage = (decision: EntryDecision): boolean => 'use' in decision && decision.use === 'image';

function emptyOr(decision: EntryDecision, bytes: number): EntryDecision {
  return isImage(decision) && bytes === 0 ? { broken: 'the file is empty' } : decision;
}

function note(
  { entry, decision, bytes }: Looked,
  found: { readonly folders: string[]; readonly images: ImageFile[] },
  { broken, tally }: ScanNotes,
): void {
  const { name, path } = entry;
  if ('broken' in decision) broken.push({ path, reason: decision.broken });
  else if ('leftOut' in decision) {
    tally.add(decision.leftOut, pathText(path), 'extension' in decision ? decision.extension : undefined);
  } else if (decision.use === 'folder') found.folders.push(name);
  else found.images.push({ name, bytes });
}

/** The entries of the folder `dir`, which is `folder` in paths. */
async function readEntries(dir: string, folder: string): Promise<Entry[]> {
  const dirents = await readdir(dir, { withFileTypes: true });
  // A name that is not UTF-8 contains the replacement character. Only then are bytes asked for, because they
  // cost time.
  if (!dirents.some(({ name }) => name.includes('\ufffd'))) {
    return dirents.map((dirent) => entryOf(folder, dirent.name, kindOfEntry(dirent)));
  }
  const raw = await readdir(dir, { withFileTypes: true, encoding: 'buffer' });
  return raw.map((dirent) => entryOfBytes(folder, dirent.name, kindOfEntry(dirent)));
}

async function entriesOf(dir: string, folder: string, { broken, exclusion }: ScanNotes): Promise<Entry[]> {
  try {
    return (await readEntries(dir, folder)).filter(({ path }) => !exclusion.names(path));
  } catch (thrown) {
    broken.push({ path: folder === '' ? '.' : folder, reason: accessFault(codeOf(thrown), null) });
    return [];
  }
}

/**
 * The usable entries of `root`/`folder`. Entries that cannot be used are noted; those in the exclude list are
 * skipped.
 */
export async function folderEntries(root: string, folder: string, notes: ScanNotes): Promise<FolderEntries> {
  const dir = join(root, folder);
  const found: { folders: string[]; images: ImageFile[] } = { folders: [], images: [] };
  const entries = await entriesOf(dir, folder, notes);
  entries.sort((a, b) => byCodePoints(a.name, b.name));
  for (let i = 0; i < entries.length; i += CONCURRENT_STATS) {
    const group = entries.slice(i, i + CONCURRENT_STATS);
    const looked = await Promise.all(group.map(async (entry) => look(dir, entry)));
    for (const one of looked) note(one, found, notes);
  }
  return found;
}
