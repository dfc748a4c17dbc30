/**
 * The central directory of a zip archive, as far as weights need it: entries stored or deflated, zip64 too.
 * Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3).
 */

export interface ZipEntry {
  readonly name: string;
  readonly deflated: boolean;
  readonly crc: number;
  /** Bytes in the file, and of what they stand for. */
  readonly packedBytes: number;
  readonly bytes: number;
  /** Position of the local header, after which the content follows. */
  readonly headerAt: number;
}

/** Where the central directory is, from the end of the file. */
export interface DirectoryPlace {
  readonly start: number;
  readonly bytes: number;
  readonly entries: number;
}

/** The end record is as long as this, and a comment of up to 65,535 bytes may follow it. */
const END_BYTES = 22;
export const LONGEST_TAIL = END_BYTES + 0xffff;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;
export const LOCAL_HEADER_BYTES = 30;

const END = 0x06054b50;
const LOCATOR = 0x07064b50;
const END64 = 0x06064b50;
const ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
/** 32 bits (16 for counts) that say: the value is in a zip64 record. */
const ELSEWHERE = 0xffffffff;
const ELSEWHERE_16 = 0xffff;
const ZIP64_FIELD = 1;
const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function place(start: number, bytes: number, entries: number, before: number): DirectoryPlace | string {
  if (start + bytes > before)
    return `its directory of ${bytes} bytes at ${start} does not fit before its end`;
  if (entries * ENTRY_BYTES > bytes)
    return `its directory of ${bytes} bytes has no room for ${entries} entries`;
  return { start, bytes, entries };
}

/**
 * Finds the central directory.
 * @param tail the last bytes of the file, LONGEST_TAIL of them or all
 * @returns its place; where the zip64 end record is; or what is wrong
 */
export function findDirectory(
  tail: Uint8Array,
  fileBytes: number,
): DirectoryPlace | { readonly end64At: number } | string {
  const view = viewOf(tail);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== END || at + END_BYTES + view.getUint16(at + 20, true) > tail.length)
      continue;
    const entries = view.getUint16(at + 10, true);
    const bytes = view.getUint32(at + 12, true);
    const start = view.getUint32(at + 16, true);
    const locator = at - LOCATOR_BYTES;
    if (locator >= 0 && view.getUint32(locator, true) === LOCATOR) {
      const end64At = Number(view.getBigUint64(locator + 8, true));
      if (end64At + END64_BYTES > fileBytes) return `its zip64 record would be at ${end64At}`;
      return { end64At };
    }
    if (entries === ELSEWHERE_16 || bytes === ELSEWHERE || start === ELSEWHERE)
      return 'it has no zip64 record';
    return place(start, bytes, entries, fileBytes - tail.length + at);
  }
  return 'it does not end as a zip archive does';
}

/** How many bytes of the zip64 end record are read. */
export const END64_READ = END64_BYTES;

/** The central directory from the zip64 end record at `end64At`. */
export function findDirectory64(record: Uint8Array, end64At: number): DirectoryPlace | string {
  const view = viewOf(record);
  if (view.getUint32(0, true) !== END64) return `there is no zip64 record at ${end64At}`;
  const [entries, bytes, start] = [32, 40, 48].map((at) => Number(view.getBigUint64(at, true)));
  return place(start!, bytes!, entries!, end64At);
}

/** Replaces each value that stands in the zip64 field by the next of its numbers; null if there are too few. */
function fromZip64(values: readonly number[], extra: Uint8Array): number[] | null {
  if (!values.includes(ELSEWHERE)) return [...values];
  const view = viewOf(extra);
  let at = 0;
  while (at + 4 <= extra.length) {
    const length = view.getUint16(at + 2, true);
    if (at + 4 + length > extra.length) return null;
    if (view.getUint16(at, true) === ZIP64_FIELD) {
      let next = at + 4;
      const end = next + length;
      const found = values.map((value) => {
        if (value !== ELSEWHERE) return value;
        next += 8;
        return next <= end ? Number(view.getBigUint64(next - 8, true)) : -1;
      });
      return found.includes(-1) ? null : found;
    }
    at += 4 + length;
  }
  return null;
}

/** No two entries may share bytes: of a few bytes that many entries name, a bomb is made. */
function overlapping(entries: readonly ZipEntry[], directoryStart: number): string | null {
  const sorted = [...entries].sort((a, b) => a.headerAt - b.headerAt);
  for (const [i, { name, headerAt, packedBytes }] of sorted.entries()) {
    const end = headerAt + LOCAL_HEADER_BYTES + packedBytes;
    if (end > (sorted[i + 1]?.headerAt ?? directoryStart))
      return `entry ${name} overlaps what comes after it`;
  }
  return null;
}

/** The entries of the central directory, or what is wrong with it. */
export function decodeDirectory(
  bytes: Uint8Array,
  { entries: count, start }: DirectoryPlace,
): ZipEntry[] | string {
  const view = viewOf(bytes);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > bytes.length || view.getUint32(at, true) !== ENTRY) return `entry ${i} is missing`;
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true),
    );
    const extraAt = at + ENTRY_BYTES + nameBytes!;
    const end = extraAt + extraBytes! + commentBytes!;
    if (end > bytes.length) return `entry ${i} is cut short`;
    const name = new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, extraAt));
    const method = view.getUint16(at + 10, true);
    if ((view.getUint16(at + 8, true) & ENCRYPTED) !== 0) return `entry ${name} is encrypted`;
    if (method !== STORED && method !== DEFLATED) return `entry ${name} is packed by method ${method}`;
    const sizes = [24, 20, 42].map((field) => view.getUint32(at + field, true));
    const found = fromZip64(sizes, bytes.subarray(extraAt, extraAt + extraBytes!));
    if (found === null) return `entry ${name} has no zip64 sizes`;
    const [size, packedBytes, headerAt] = found as [number, number, number];
    if (method === STORED && size !== packedBytes) return `entry ${name} is stored, with two sizes`;
    if (names.has(name)) return `it has two entries called ${name}`;
    names.add(name);
    const crc = view.getUint32(at + 16, true);
    entries.push({ name, deflated: method === DEFLATED, crc, packedBytes, bytes: size, headerAt });
    at = end;
  }
  return overlapping(entries, start) ?? entries;
}

/** Where the content of an entry begins, from its local header; or what is wrong with that. */
export function contentStart(
  header: Uint8Array,
  { name, headerAt, packedBytes }: ZipEntry,
  fileBytes: number,
) {
  const view = viewOf(header);
  if (header.length < LOCAL_HEADER_BYTES || view.getUint32(0, true) !== LOCAL_HEADER) {
    return `entry ${name} is not at ${headerAt}`;
  }
  const start = headerAt + LOCAL_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  return start + packedBytes > fileBytes ? `entry ${name} goes beyond the end of the file` : start;
}
