/** One coordinator a run folder: a lock file that names its process, and is no lock once that process is gone. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { coded, reasonOf, VitrailError } from '../shared/errors.js';

const LOCK_FILE = 'coordinator.lock';
/** Others may take a lock and give it back between two looks, not for ever. */
const MOST_ATTEMPTS = 100;

const ownerSchema = z.object({
  host: z.string(),
  pid: z.number().int().min(1),
  /** When the process began, in ticks since the boot: a number is given again, not with the same beginning. */
  startedAt: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

/** Field 22 of /proc/PID/stat; the name in field 2 may hold anything, so count from its last bracket. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function isRunning({ pid, startedAt }: Owner): boolean {
  const now = processStart(pid);
  if (now !== null) return now === startedAt;
  if (process.platform === 'linux') return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return (error as { code?: string }).code === code;
}

interface Lock {
  readonly text: string;
  /** Null where that is not what a coordinator writes. */
  readonly owner: Owner | null;
}

/** The lock at `path`, null where there is none. Throws where it cannot be read: it may be anybody's. */
function readLock(path: string): Lock | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
  try {
    const parsed = ownerSchema.safeParse(JSON.parse(text));
    return { text, owner: parsed.success ? parsed.data : null };
  } catch {
    return { text, owner: null };
  }
}

export class RunLock {
  readonly #runDir: string;
  readonly #path: string;
  readonly #text: string;
  readonly #madeFolder: boolean;

  private constructor(runDir: string, text: string, madeFolder: boolean) {
    this.#runDir = runDir;
    this.#path = join(runDir, LOCK_FILE);
    this.#text = text;
    this.#madeFolder = madeFolder;
  }

  /**
   * Takes the folder, which is made where it is missing. A lock whose process was killed is taken over; one of
   * another machine is believed.
   * @throws RUN_LOCKED, RUN_WRITE_FAILED
   */
  static take(runDir: string): RunLock {
    try {
      return RunLock.#take(runDir);
    } catch (error) {
      if (error instanceof VitrailError) throw error;
      throw coded('RUN_WRITE_FAILED', { path: join(runDir, LOCK_FILE), reason: reasonOf(error) });
    }
  }

  static #take(runDir: string): RunLock {
    const made = mkdirSync(runDir, { recursive: true }) !== undefined;
    const path = join(runDir, LOCK_FILE);
    const { pid } = process;
    const text = JSON.stringify({
      host: hostname(),
      pid,
      startedAt: processStart(pid) ?? '',
    } satisfies Owner);
    const temporary = `${path}.${pid}`;
    try {
      writeFileSync(temporary, text);
      // link() fails where the name exists: of two that try, one gets it.
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        try {
          linkSync(temporary, path);
          return new RunLock(runDir, text, made);
        } catch (error) {
          if (!hasCode(error, 'EEXIST')) throw error;
        }
        removeStale(runDir, path);
      }
      throw new Error('another takes it again and again');
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  /** Gives the folder back, and removes it where it was made for this lock and nothing else came into it. */
  release(): void {
    try {
      if (readLock(this.#path)?.text === this.#text) rmSync(this.#path, { force: true });
      if (this.#madeFolder) rmdirSync(this.#runDir);
    } catch {
      // The folder holds a run now, or it has become unreadable: the lock ends with this process.
    }
  }
}

/** Moves a lock away whose process is gone. @throws RUN_LOCKED where it is not */
function removeStale(runDir: string, path: string): void {
  const found = readLock(path);
  if (found === null) return;
  const { owner, text } = found;
  if (owner !== null && (owner.host !== hostname() || isRunning(owner))) {
    const name = `process ${owner.pid} on ${owner.host}`;
    throw coded('RUN_LOCKED', { path: runDir, owner: name, lock: path });
  }
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    // Another has moved it already.
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  // Between reading and renaming another may have taken over: then this was its lock.
  if (readLock(aside)?.text === text) rmSync(aside, { force: true });
  else renameSync(aside, path);
}
