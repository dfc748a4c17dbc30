/** The run folder's `journal`: what is committed, on the disk before any worker is told. */
import { constants, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../shared/checkpoint/atomic-file.js';
import { coded, reasonOf } from '../shared/errors.js';
import { whenThereIsSpace, type DiskWait } from './disk-space.js';
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
  readonly #wait: DiskWait;
  #file: FileHandle;
  /** Of what is whole in it. */
  #bytes: number;
  #open: JournalOpen;
  #events: JournalEvent[];
  #checkpoint: JournalRecord | null = null;
  #commits = 0;
  /** Writes happen one after the other. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    runDir: string,
    { file, bytes }: NewFile,
    start: JournalOpen,
    events: readonly JournalEvent[],
    wait: DiskWait,
  ) {
    this.#runDir = runDir;
    this.#path = join(runDir, JOURNAL_FILE);
    this.#file = file;
    this.#bytes = bytes;
    this.#wait = wait;
    this.#open = start;
    this.#events = [...events];
  }

  /**
   * Begins the journal of a coordinator's start; `before` is what the last one left.
   * @param wait what to do while the disk is full
   * @throws JOURNAL_WRITE_FAILED
   */
  static async begin(
    runDir: string,
    start: JournalOpen,
    before: JournalContent | null,
    wait: DiskWait,
  ): Promise<Journal> {
    const events = (before?.events ?? []).slice(-KEPT_EVENTS);
    const path = join(runDir, JOURNAL_FILE);
    try {
      const file = await writtenAnew(runDir, [start, ...events]);
      return new Journal(runDir, file, start, events, wait);
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
    await this.#append({ type: 'commit', state, generation, digest, ring: [...ring] });
    if (++this.#commits >= MOST_COMMITS) await this.#compact();
  }

  /** The conclusions of an epoch. */
  async epoch(state: RunState): Promise<void> {
    this.#open = { ...this.#open, state };
    await this.#append({ type: 'epoch', state });
  }

  /** The run goes back to a checkpoint. */
  async back(state: RunState): Promise<void> {
    this.#open = { ...this.#open, state, lastCommit: null };
    await this.#append({ type: 'back', state });
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
    this.#inTurn(async () => this.#write(record, false)).catch(() => undefined);
  }

  async end(reason: string, clean: boolean): Promise<void> {
    await this.#append({ type: 'end', reason, clean });
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#file.close();
  }

  /** On the disk when it resolves; a full disk is waited for. */
  async #append(record: JournalRecord): Promise<void> {
    await this.#inTurn(async () =>
      whenThereIsSpace(this.#path, async () => this.#write(record, true), this.#wait),
    );
  }

  /** A line, whole or not at all: after a part of one, nothing that follows would count. */
  async #write(record: JournalRecord, synced: boolean): Promise<void> {
    const line = Buffer.from(journalLine(record));
    try {
      // Unlike write(), which may take a part of it on a disk that is almost full and say nothing.
      await this.#file.appendFile(line);
      if (synced) await this.#file.datasync();
      this.#bytes += line.length;
    } catch (error) {
      await this.#file.truncate(this.#bytes);
      throw error;
    }
  }

  async #compact(): Promise<void> {
    await this.#inTurn(async () =>
      whenThereIsSpace(
        this.#path,
        async () => {
          const checkpoint = this.#checkpoint === null ? [] : [this.#checkpoint];
          const before = this.#file;
          const { file, bytes } = await writtenAnew(this.#runDir, [
            this.#open,
            ...checkpoint,
            ...this.#events,
          ]);
          this.#file = file;
          this.#bytes = bytes;
          await before.close();
          this.#commits = 0;
        },
        this.#wait,
      ),
    );
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

interface NewFile {
  /** Open for appending. */
  readonly file: FileHandle;
  readonly bytes: number;
}

/** Puts a new journal in the old one's place, at once. Where that fails the old one stays. */
async function writtenAnew(runDir: string, records: readonly JournalRecord[]): Promise<NewFile> {
  const path = join(runDir, JOURNAL_FILE);
  const temporary = join(runDir, `.tmp-${JOURNAL_FILE}`);
  const { O_APPEND, O_CREAT, O_TRUNC, O_WRONLY } = constants;
  const file = await open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
  const content = Buffer.from(records.map(journalLine).join(''));
  try {
    await file.writeFile(content);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(runDir);
  return { file, bytes: content.length };
}
