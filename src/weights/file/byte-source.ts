/** A file that is read at any position, never as a whole, and never beyond its end. */
import { coded, hasCode, reasonOf, VitrailError } from '../../errors/errors.js';
import { closeAnyway, type Disk, type DiskFile } from '../../host/disk.js';

/** The error of a failed read of `path`; a coded error passes as it is. */
export function weightsReadError(path: string, thrown: unknown): VitrailError {
  if (thrown instanceof VitrailError) return thrown;
  if (hasCode(thrown, 'ENOENT', 'ENOTDIR')) return coded('CHECKPOINT_NOT_FOUND', { path });
  return coded('WEIGHTS_UNREADABLE', { path, reason: reasonOf(thrown) });
}

/** @throws CHECKPOINT_NOT_FOUND, WEIGHTS_UNREADABLE */
export class ByteSource {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  readonly #file: DiskFile;

  private constructor(path: string, size: number, file: DiskFile) {
    this.path = path;
    this.size = size;
    this.#file = file;
  }

  static async open(disk: Disk, path: string): Promise<ByteSource> {
    try {
      const file = await disk.open(path, 'r');
      try {
        return new ByteSource(path, await file.size(), file);
      } catch (thrown) {
        await closeAnyway(file);
        throw thrown;
      }
    } catch (thrown) {
      throw weightsReadError(path, thrown);
    }
  }

  /** What `open` makes of a file, and keeps open; the file is closed if `open` throws. */
  static async keptOpen<T>(disk: Disk, path: string, open: (source: ByteSource) => Promise<T>): Promise<T> {
    const source = await ByteSource.open(disk, path);
    try {
      return await open(source);
    } catch (thrown) {
      await source.close();
      throw thrown;
    }
  }

  /** `length` bytes from `position` on. What would lie beyond the end is refused before memory is taken. */
  async read(position: number, length: number): Promise<Uint8Array> {
    if (!(position >= 0 && length >= 0 && position + length <= this.size)) {
      const reason = `it has ${this.size} bytes, and ${length} are needed from ${position} on`;
      throw coded('WEIGHTS_UNREADABLE', { path: this.path, reason });
    }
    const bytes = new Uint8Array(length);
    try {
      for (let done = 0; done < length;) {
        const piece = bytes.subarray(done, Math.min(length, done + 2 ** 30));
        const read = await this.#file.readAt(piece, position + done);
        if (read === 0) throw new Error('it became shorter while it was read');
        done += read;
      }
    } catch (thrown) {
      throw weightsReadError(this.path, thrown);
    }
    return bytes;
  }

  async close(): Promise<void> {
    await closeAnyway(this.#file);
  }
}
