/** An open file of a simulated disk. */
import type { DiskFile, OpenMode } from '../host/disk.js';
import type { DiskOperation, Operation } from './disk-operation.js';
import { FileContent } from './file-content.js';
import { Folder, systemError } from './folder-tree.js';

/** The number of bytes that can still be written. */
export interface Space {
  room: number;
}

/** Runs an operation at its time. It fails or never returns if the simulation says so. */
export type Run = <T>(operation: Operation<T>) => Promise<T>;

/** Writes as much as there is room for. @throws ENOSPC if that is not everything */
function written(space: Space, path: string, content: FileContent, at: number, bytes: Uint8Array): void {
  const growth = Math.max(0, at + bytes.length - content.length);
  const missing = Math.max(0, growth - space.room);
  const part = bytes.subarray(0, bytes.length - missing);
  if (part.length > 0) content.write(at, part);
  space.room -= growth - missing;
  if (missing > 0) throw systemError('ENOSPC', 'write', path);
}

export class SimulatedFile implements DiskFile {
  readonly #space: Space;
  readonly #run: Run;
  readonly #path: string;
  readonly #content: FileContent | Folder;
  readonly #mode: OpenMode;
  #closed = false;

  constructor(space: Space, run: Run, path: string, content: FileContent | Folder, mode: OpenMode) {
    this.#space = space;
    this.#run = run;
    this.#path = path;
    this.#content = content;
    this.#mode = mode;
  }

  async append(bytes: Uint8Array): Promise<void> {
    const own = Uint8Array.from(bytes);
    const write = (part: Uint8Array): void => {
      const content = this.#open('w');
      written(this.#space, this.#path, content, content.length, part);
    };
    await this.#do(
      'append',
      () => write(own),
      (random) => write(own.subarray(0, random.below(own.length + 1))),
    );
  }

  async writeAt(bytes: Uint8Array, position: number): Promise<void> {
    const own = Uint8Array.from(bytes);
    const write = (part: Uint8Array): void =>
      written(this.#space, this.#path, this.#open('w'), position, part);
    await this.#do(
      'writeAt',
      () => write(own),
      (random) => write(own.subarray(0, random.below(own.length + 1))),
    );
  }

  async readAt(into: Uint8Array, position: number): Promise<number> {
    return this.#do('read', () => {
      const piece = this.#open('r')
        .view()
        .subarray(position, position + into.length);
      into.set(piece);
      return piece.length;
    });
  }

  async sync(): Promise<void> {
    await this.#do('sync', () => {
      if (this.#closed) throw systemError('EBADF', 'fsync', this.#path);
      if (this.#content instanceof FileContent) this.#content.sync();
    });
  }

  async datasync(): Promise<void> {
    await this.sync();
  }

  async truncate(bytes: number): Promise<void> {
    await this.#do('truncate', () => {
      if (this.#mode === 'r' && !this.#closed) throw systemError('EINVAL', 'ftruncate', this.#path);
      const content = this.#open('w');
      this.#space.room += content.length - bytes;
      content.cut(bytes);
    });
  }

  async size(): Promise<number> {
    return this.#do('read', () => {
      if (this.#closed) throw systemError('EBADF', 'fstat', this.#path);
      return this.#content instanceof Folder ? 0 : this.#content.length;
    });
  }

  async close(): Promise<void> {
    await this.#do('close', () => {
      this.#closed = true;
    });
  }

  async #do<T>(kind: DiskOperation, act: () => T, part?: Operation<T>['part']): Promise<T> {
    const file = this.#content instanceof FileContent ? { file: this.#content } : {};
    return this.#run(Object.assign({ kind, path: this.#path, act }, file, part && { part }));
  }

  /** @throws EBADF if the file is closed or was opened in the other mode, EISDIR if it is a folder */
  #open(to: 'r' | 'w'): FileContent {
    if (this.#closed || (this.#mode === 'r') !== (to === 'r')) throw systemError('EBADF', to, this.#path);
    if (this.#content instanceof Folder) throw systemError('EISDIR', to, this.#path);
    return this.#content;
  }
}
