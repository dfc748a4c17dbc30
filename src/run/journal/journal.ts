/** Writes the run folder's `journal`: every commit is in it, and on the disk, before any worker is told. */
import { join } from 'node:path';
import { closeAnyway, type DiskFile } from '../../host/disk.js';
import type { Host } from '../../host/host.js';
import { JOURNAL_FILE, journalError, writtenAnew, type NewFile } from './journal-file.js';
import { whenThereIsSpace, type DiskWait } from '../../host/disk-space.js';
import {
  journalLine,
  type JournalContent,
  type JournalEvent,
  type JournalOpen,
  type JournalRecord,
} from './journal-format.js';
import type { RunState } from './run-state.js';

/** How many events are kept when the journal is rewritten. */
const KEPT_EVENTS = 200;
/** After so many commits the journal is rewritten, even without a checkpoint. */
const MOST_COMMITS = 1000;

type JournalHost = Pick<Host, 'clock' | 'disk' | 'process'>;

export class Journal {
  readonly #host: JournalHost;
  readonly #path: string;
  readonly #runDir: string;
  readonly #wait: DiskWait;
  #file: DiskFile;
  /** The length of the file up to its last whole line. */
  #bytes: number;
  /** Whether a part of a line may follow. */
  #torn = false;
  /**
   * Whether a sync has failed. The system may then have dropped any page since the last sync, even of whole
   * lines, and no later sync reports it. So nothing that is appended to this file counts any more.
   */
  #unsound = false;
  #open: JournalOpen;
  #events: JournalEvent[];
  #checkpoint: JournalRecord | null = null;
  #commits = 0;
  /** Writes happen one after the other. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    host: JournalHost,
    runDir: string,
    { file, bytes }: NewFile,
    start: JournalOpen,
    events: readonly JournalEvent[],
    wait: DiskWait,
  ) {
    this.#host = host;
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
    host: JournalHost,
    runDir: string,
    start: JournalOpen,
    before: JournalContent | null,
    wait: DiskWait,
  ): Promise<Journal> {
    const events = (before?.events ?? []).slice(-KEPT_EVENTS);
    const path = join(runDir, JOURNAL_FILE);
    try {
      await wait.check();
      const created = await writtenAnew(host, runDir, [start, ...events], wait);
      const journal = new Journal(host, runDir, created, start, events, wait);
      try {
        await host.disk.syncFolder(runDir);
      } catch (error) {
        await journal.close();
        throw error;
      }
      return journal;
    } catch (error) {
      throw journalError(path, error);
    }
  }

  /** The last `count` events, oldest first. */
  lastEvents(count: number): readonly { readonly time: string; readonly text: string }[] {
    return this.#events.slice(-count).map(({ time, text }) => ({ time, text }));
  }

  /** Writes a commit. Resolves when it is on the disk. @throws JOURNAL_WRITE_FAILED */
  async commit(state: RunState, generation: number, digest: string, ring: readonly number[]): Promise<void> {
    await this.#append({ type: 'commit', state, generation, digest, ring: [...ring] });
    this.#open = { ...this.#open, state, generation, lastCommit: { generation, digest, ring: [...ring] } };
    if (++this.#commits >= MOST_COMMITS) await this.#compact();
  }

  /** Writes the state after an epoch was concluded. */
  async epoch(state: RunState): Promise<void> {
    await this.#append({ type: 'epoch', state });
    this.#open = { ...this.#open, state };
  }

  /** Writes that the run rolls back to a checkpoint, which was computed with `backend`. */
  async rollback(state: RunState, backend: string | null): Promise<void> {
    await this.#append({ type: 'back', state, backend });
    this.#open = { ...this.#open, state, backend, lastCommit: null };
  }

  /** Writes the backend that the run computes with; it is written only once. */
  async backend(backend: string): Promise<void> {
    if (this.#open.backend === backend) return;
    await this.#append({ type: 'backend', backend });
    this.#open = { ...this.#open, backend };
  }

  async checkpoint(step: number, path: string, weightDigest: string): Promise<void> {
    this.#checkpoint = { type: 'checkpoint', step, path, weightDigest };
    await this.#compact();
  }

  /** Writes an event, for people. It is not forced to the disk. */
  event(kind: string, worker: number | null, text: string): void {
    const time = this.#host.clock.date().toISOString();
    const record: JournalEvent = { type: 'event', time, kind, worker, text };
    this.#events = [...this.#events, record].slice(-KEPT_EVENTS);
    const nextWorker = Math.max(this.#open.nextWorker, (worker ?? -1) + 1);
    this.#open = { ...this.#open, nextWorker };
    // A failure to write an event does not end the run. The next commit will report it.
    this.#inTurn(async () => {
      await this.#wait.check();
      await this.#write(record, false);
    }).catch(() => undefined);
  }

  async end(reason: string, clean: boolean): Promise<void> {
    await this.#append({ type: 'end', reason, clean });
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await closeAnyway(this.#file);
  }

  /**
   * Appends a line, and waits while the disk is full. Resolves when the line is on the disk. If another
   * coordinator has taken the folder by then, it may have read the journal before this line came, so no
   * worker may be told of it.
   */
  async #append(record: JournalRecord): Promise<void> {
    await this.#inTurn(async () =>
      whenThereIsSpace(this.#path, async () => this.#write(record, true), this.#wait),
    );
    await this.#wait.check();
  }

  /** Appends a line whole or not at all, because nothing after a part of a line could be read. */
  async #write(record: JournalRecord, synced: boolean): Promise<void> {
    const line = Buffer.from(journalLine(record));
    if (this.#unsound) {
      await this.#writeAnew();
      // The rewritten journal has this record already.
      if (record.type === 'event') return;
    }
    try {
      if (this.#torn) await this.#takeBack();
      await this.#file.append(line);
      if (synced) await this.#sync();
      this.#bytes += line.length;
    } catch (error) {
      this.#torn = true;
      // If this fails, the next line does it. The first error says what is wrong, a full disk for example.
      await this.#takeBack().catch(() => undefined);
      throw error;
    }
  }

  async #sync(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#unsound = true;
      throw error;
    }
  }

  /** Cuts off the part of a line that was written. */
  async #takeBack(): Promise<void> {
    await this.#file.truncate(this.#bytes);
    this.#torn = false;
  }

  async #compact(): Promise<void> {
    await this.#inTurn(async () => whenThereIsSpace(this.#path, async () => this.#writeAnew(), this.#wait));
  }

  async #writeAnew(): Promise<void> {
    const { disk } = this.#host;
    const checkpoint = this.#checkpoint === null ? [] : [this.#checkpoint];
    const before = this.#file;
    const records = [this.#open, ...checkpoint, ...this.#events];
    const { file, bytes } = await writtenAnew(this.#host, this.#runDir, records, this.#wait);
    // From here on the new file is the journal, whatever fails below. Until its name is on the disk, a crash
    // brings the old one back.
    this.#file = file;
    this.#bytes = bytes;
    this.#torn = false;
    this.#unsound = true;
    this.#commits = 0;
    await closeAnyway(before);
    await disk.syncFolder(this.#runDir);
    this.#unsound = false;
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#writing.catch(() => undefined).then(work);
    this.#writing = mine;
    try {
      await mine;
    } catch (error) {
      throw journalError(this.#path, error);
    }
  }
}
