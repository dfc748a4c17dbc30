/** A zip archive of which entries are read one by one. */
import { inflateRaw } from 'node:zlib';
import { promisify } from 'node:util';
import { reasonOf } from '../../errors/errors.js';
import { crc32 } from '../../numbers/crc-32.js';
import { malformed, type FormatName } from '../format/malformed.js';
import {
  contentStart,
  decodeDirectory,
  END64_READ,
  findDirectory,
  findDirectory64,
  LOCAL_HEADER_BYTES,
  LONGEST_TAIL,
  type DirectoryPlace,
  type ZipEntry,
} from '../format/zip-directory.js';
import type { ByteSource } from './byte-source.js';

const inflated = promisify(inflateRaw);

/** Weights hardly shrink. What would grow far beyond its archive is a bomb, unless it is small altogether. */
const MOST_GROWTH = 32;
const SMALL_BYTES = 16 * 2 ** 20;

export class ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #source: ByteSource;
  readonly #format: FormatName;

  private constructor(source: ByteSource, format: FormatName, entries: readonly ZipEntry[]) {
    this.#source = source;
    this.#format = format;
    this.entries = new Map(entries.map((entry) => [entry.name, entry]));
  }

  /** @throws WEIGHTS_MALFORMED, WEIGHTS_UNREADABLE */
  static async open(source: ByteSource, format: FormatName): Promise<ZipArchive> {
    const entries = decodeDirectoryOf(await directoryOf(source));
    if (typeof entries === 'string') throw malformed(source.path, format, entries);
    const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total > Math.max(SMALL_BYTES, source.size * MOST_GROWTH)) {
      throw malformed(source.path, format, `its ${source.size} bytes would become ${total}`);
    }
    return new ZipArchive(source, format, entries);
  }

  /** Where the content of a stored entry begins in the file. @throws WEIGHTS_MALFORMED, WEIGHTS_UNREADABLE */
  async startOf(entry: ZipEntry): Promise<number> {
    const { path, size } = this.#source;
    const headerBytes = Math.max(0, Math.min(LOCAL_HEADER_BYTES, size - entry.headerAt));
    const start = contentStart(await this.#source.read(entry.headerAt, headerBytes), entry, size);
    if (typeof start === 'string') throw malformed(path, this.#format, start);
    return start;
  }

  /** The content of an entry, as long as the directory says and never longer. */
  async content(entry: ZipEntry): Promise<Uint8Array> {
    const packed = await this.#source.read(await this.startOf(entry), entry.packedBytes);
    if (!entry.deflated) return packed;
    const { path } = this.#source;
    let bytes: Uint8Array;
    try {
      bytes = await inflated(packed, { maxOutputLength: Math.max(1, entry.bytes) });
    } catch (thrown) {
      throw malformed(path, this.#format, `entry ${entry.name}: ${reasonOf(thrown)}`);
    }
    if (bytes.length !== entry.bytes) {
      const problem = `entry ${entry.name} has ${bytes.length} bytes instead of ${entry.bytes}`;
      throw malformed(path, this.#format, problem);
    }
    return bytes;
  }

  /** The content of an entry that has the checksum of the directory. PyTorch can be told to write none that is right. */
  async checkedContent(entry: ZipEntry): Promise<Uint8Array> {
    const bytes = await this.content(entry);
    if (crc32(bytes) === entry.crc) return bytes;
    throw malformed(this.#source.path, this.#format, `entry ${entry.name} has a wrong checksum`);
  }

  /** The first bytes of an entry, `length` of them or all. */
  async beginning(entry: ZipEntry, length: number): Promise<Uint8Array> {
    const bytes = Math.min(length, entry.bytes);
    if (entry.deflated) return (await this.content(entry)).subarray(0, bytes);
    return this.#source.read(await this.startOf(entry), bytes);
  }
}

interface Directory {
  readonly bytes: Uint8Array;
  readonly place: DirectoryPlace;
}

async function directoryOf(source: ByteSource): Promise<Directory | string> {
  const { size } = source;
  const tail = Math.min(LONGEST_TAIL, size);
  let found = findDirectory(await source.read(size - tail, tail), size);
  if (typeof found !== 'string' && 'end64At' in found) {
    found = findDirectory64(await source.read(found.end64At, END64_READ), found.end64At);
  }
  if (typeof found === 'string') return found;
  return { bytes: await source.read(found.start, found.bytes), place: found };
}

function decodeDirectoryOf(directory: Directory | string): ZipEntry[] | string {
  return typeof directory === 'string' ? directory : decodeDirectory(directory.bytes, directory.place);
}
