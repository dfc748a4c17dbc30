/** The run folder's `journal`: what is committed, on the disk before any worker is told. */
import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../shared/checkpoint/atomic-file.js';
import { coded, reasonOf } from '../shared/errors.js';
import {
  journalLine,
  parseJournal,
  type JournalContent,
  type JournalEvent,
  type JournalOpen,
  type JournalRecord,
} from './journal-format.js';
import type { RunState } from './run-state.js';

const JOURNAL_FILE = 'journal';
/** Events that a journal takes along when it is written anew. */
const KEPT_EVENTS = 200;
/** Commits after which it is written anew, at a checkpoint or not. */
const MOST_COMMITS = 1000;

/** The journal of a run folder, null where there is none. @throws JOURNAL_DAMAGED */
export async function readJournal(runDir: string): Promise<JournalContent | null> {
  const path = join(runDir, JOURNAL_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return null;
    throw coded('JOURNAL_DAMAGED', { path, problem: reasonOf(error) });
  }
  const parsed = parseJournal(text);
  if (!parsed.ok) throw coded('JOURNAL_DAMAGED', { path, problem: parsed.problem });
  return parsed.content;
}

export class Journal {
  readonly #path: string;
  readonly #runDir: string;
  #file: FileHandle;
  #open: JournalOpen;
  #events: JournalEvent[];
  #checkpoint: JournalRecord | null = null;
  #commits = 0;
  /** Writes happen one after the other. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(runDir: string, file: FileHandle, start: JournalOpen, events: readonly JournalEvent[]) {
    this.#runDir = runDir;
    this.#path = join(runDir, JOURNAL_FILE);
    this.#file = file;
    this.#open = start;
    this.#events = [...events];
  }

  /** Begins the journal of a coordinator's start; `before` is what the last one left. @throws JOURNAL_WRITE_FAILED */
  static async begin(runDir: string, start: JournalOpen, before: JournalContent | null): Promise<Journal> {
    const events = (before?.events ?? []).slice(-KEPT_EVENTS);
    const path = join(runDir, JOURNAL_FILE);
    try {
      const file = await writtenAnew(runDir, [start, ...events]);
      return new Journal(runDir, file, start, events);
    } catch (error) {
      throw coded('JOURNAL_WRITE_FAILED', { path, reason: reasonOf(error) });
    }
  }

  /** The last `count` events, oldest first. */
  lastEvents(count: number): readonly { readonly time: string; readonly text: string }[] {
    return this.#events.slice(-count).map(({ time, text }) => ({ time, text }));
  }

  /** Resolves when the commit is on the disk. @throws JOURNAL_WRITE_FAILED */
  async commit(state: RunState, generation: number, digest: string, ring: readonly number[]): Promise<void> {
    this.#open = { ...this.#open, state, generation, lastCommit: { generation, digest, ring: [...ring] } };
    await this.#append({ type: 'commit', state, generation, digest, ring: [...ring] }, true);
    if (++this.#commits >= MOST_COMMITS) await this.#compact();
  }

  /** The conclusions of an epoch. */
  async epoch(state: RunState): Promise<void> {
    this.#open = { ...this.#open, state };
    await this.#append({ type: 'epoch', state }, true);
  }

  /** The run goes back to a checkpoint. */
  async back(state: RunState): Promise<void> {
    this.#open = { ...this.#open, state, lastCommit: null };
    await this.#append({ type: 'back', state }, true);
  }

  async checkpoint(step: number, path: string, weightDigest: string): Promise<void> {
    this.#checkpoint = { type: 'checkpoint', step, path, weightDigest };
    await this.#compact();
  }

  /** What happened, for people: not forced to the disk. */
  event(kind: string, worker: number | null, text: string): void {
    const record: JournalEvent = { type: 'event', time: new Date().toISOString(), kind, worker, text };
    this.#events = [...this.#events, record].slice(-KEPT_EVENTS);
    const nextWorker = Math.max(this.#open.nextWorker, (worker ?? -1) + 1);
    this.#open = { ...this.#open, nextWorker };
    // An event that cannot be written ends nothing: the next commit will say so.
    this.#append(record, false).catch(() => undefined);
  }

  async end(reason: string, clean: boolean): Promise<void> {
    await this.#append({ type: 'end', reason, clean }, true);
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#file.close();
  }

  async #append(record: JournalRecord, synced: boolean): Promise<void> {
    await this.#inTurn(async () => {
      await this.#file.write(journalLine(record));
      if (synced) await this.#file.datasync();
    });
  }

  async #compact(): Promise<void> {
    await this.#inTurn(async () => {
      const records = [this.#open, ...(this.#checkpoint === null ? [] : [this.#checkpoint]), ...this.#events];
      const before = this.#file;
      this.#file = await writtenAnew(this.#runDir, records);
      await before.close();
      this.#commits = 0;
    });
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#writing.catch(() => undefined).then(work);
    this.#writing = mine;
    try {
      await mine;
    } catch (error) {
      throw coded('JOURNAL_WRITE_FAILED', { path: this.#path, reason: reasonOf(error) });
    }
  }
}

/** Puts a new journal in the old one's place, at once; the file stays open for appending. */
async function writtenAnew(runDir: string, records: readonly JournalRecord[]): Promise<FileHandle> {
  const path = join(runDir, JOURNAL_FILE);
  const temporary = join(runDir, `.tmp-${JOURNAL_FILE}`);
  const file = await open(temporary, 'w');
  try {
    await file.write(records.map(journalLine).join(''));
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await file.close();
    throw error;
  }
  await syncFolder(runDir);
  return file;
}
