/** The disk through which everything is written to a run folder: the system's, or that of a simulation. */
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { hasCode } from '../errors/errors.js';

/** r: to read. w: to write from the beginning. a: to append. x: fails if the file exists. */
export type OpenMode = 'r' | 'w' | 'wx' | 'a' | 'ax';

export interface DiskFile {
  /** Writes all of `bytes` at the end of the file. A failure may leave a part of them. */
  append(bytes: Uint8Array): Promise<void>;
  /** Writes all of `bytes` at `position`; not for a file that is open for appending. */
  writeAt(bytes: Uint8Array, position: number): Promise<void>;
  /** Reads from `position` on. @returns how many bytes of `into` were filled, 0 at the end of the file */
  readAt(into: Uint8Array, position: number): Promise<number>;
  /** Forces content and size to the disk. */
  sync(): Promise<void>;
  /** As `sync`, but without metadata that reading does not need, such as the time of the last change. */
  datasync(): Promise<void>;
  truncate(bytes: number): Promise<void>;
  /** In bytes. */
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Closes a file that was only read, or whose content is on the disk already: a failure loses nothing then. */
export async function closeAnyway(file: DiskFile): Promise<void> {
  await file.close().catch(() => undefined);
}

/** Every operation rejects with the system's error, whose `code` is ENOENT, EEXIST, ENOSPC and so on. */
export interface Disk {
  open(path: string, mode: OpenMode): Promise<DiskFile>;
  /** The whole file as UTF-8. */
  readText(path: string): Promise<string>;
  /** The names in a folder, in no particular order. */
  list(path: string): Promise<readonly string[]>;
  /** What is at `path`; null if nothing is, or if something above it is a file. */
  kindOf(path: string): Promise<'folder' | 'file' | null>;
  /** Renames atomically: a file replaces another, and a folder an empty one. */
  rename(from: string, to: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  /** @returns false if there was none */
  removeFile(path: string): Promise<boolean>;
  removeEmptyFolder(path: string): Promise<void>;
  /** Removes a file, or a folder with its content. It is no error if there is none. */
  removeAll(path: string): Promise<void>;
  /** Forces the entries of a folder to the disk, so that names survive a power loss. */
  syncFolder(path: string): Promise<void>;
}

class NodeFile implements DiskFile {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * A disk that is almost full takes only a part of a write without an error. Writing the rest then fails.
   */
  async append(bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) done += (await this.#file.write(bytes, done)).bytesWritten;
  }

  async writeAt(bytes: Uint8Array, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }

  async readAt(into: Uint8Array, position: number): Promise<number> {
    const { bytesRead } = await this.#file.read(into, 0, into.length, position);
    return bytesRead;
  }

  async sync(): Promise<void> {
    await this.#file.sync();
  }

  async datasync(): Promise<void> {
    await this.#file.datasync();
  }

  async truncate(bytes: number): Promise<void> {
    await this.#file.truncate(bytes);
  }

  async size(): Promise<number> {
    return (await this.#file.stat()).size;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

export const nodeDisk: Disk = {
  open: async (path, mode) => new NodeFile(await open(path, mode)),
  readText: async (path) => readFile(path, 'utf8'),
  list: async (path) => readdir(path),
  kindOf: async (path) => {
    try {
      return (await stat(path)).isDirectory() ? 'folder' : 'file';
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
      throw error;
    }
  },
  rename: async (from, to) => rename(from, to),
  makeFolder: async (path) => mkdir(path),
  removeFile: async (path) => {
    try {
      await unlink(path);
      return true;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    }
  },
  removeEmptyFolder: async (path) => rmdir(path),
  removeAll: async (path) => rm(path, { recursive: true, force: true }),
  syncFolder: async (path) => {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};
