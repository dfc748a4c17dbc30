/** Writes zip archives for tests, sound ones and ones that lie. */
import { crc32, inflateRawSync } from 'node:zlib';

export interface ZipPart {
  readonly name: string;
  /** Bytes in the archive. */
  readonly packed: Uint8Array;
  /** 0 stored, 8 deflated. */
  readonly method?: number;
  /** What the directory says: sizes, flags, and where the local header is. */
  readonly bytes?: number;
  readonly packedBytes?: number;
  readonly flags?: number;
  readonly headerAt?: number;
  readonly crc?: number;
}

const record = (
  size: number,
  fields: readonly (readonly [at: number, value: number, bytes: 2 | 4])[],
): Buffer => {
  const out = Buffer.alloc(size);
  for (const [at, value, bytes] of fields) out.writeUIntLE(value, at, bytes);
  return out;
};

const SIGNATURES = {
  local: 0x04034b50,
  entry: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator: 0x07064b50,
};
const ELSEWHERE = 0xffffffff;

/** Of what the bytes stand for; of themselves if they stand for nothing. */
function checksumOf(packed: Uint8Array, method: number): number {
  try {
    return crc32(method === 8 ? inflateRawSync(packed) : packed);
  } catch {
    return crc32(packed);
  }
}

/** @param zip64 puts sizes, positions and the directory's place into zip64 records */
export function zipOf(parts: readonly ZipPart[], { zip64 = false, comment = '' } = {}): Buffer {
  const local: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, packed, method = 0, flags = 0, ...told } of parts) {
    const {
      bytes = packed.length,
      packedBytes = packed.length,
      headerAt = at,
      crc = checksumOf(packed, method),
    } = told;
    const label = Buffer.from(name);
    const header = record(30, [
      [0, SIGNATURES.local, 4],
      [8, method, 2],
      [26, label.length, 2],
    ]);
    local.push(header, label, Buffer.from(packed));
    const extra = zip64 ? Buffer.alloc(28) : Buffer.alloc(0);
    if (zip64) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      [bytes, packedBytes, headerAt].forEach((value, i) => extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i));
    }
    const entry = record(46, [
      [0, SIGNATURES.entry, 4],
      [8, flags, 2],
      [10, method, 2],
      [16, crc, 4],
      [20, zip64 ? ELSEWHERE : packedBytes, 4],
      [24, zip64 ? ELSEWHERE : bytes, 4],
      [28, label.length, 2],
      [30, extra.length, 2],
      [42, zip64 ? ELSEWHERE : headerAt, 4],
    ]);
    directory.push(entry, label, extra);
    at += 30 + label.length + packed.length;
  }
  const central = Buffer.concat(directory);
  const tail: Buffer[] = [];
  if (zip64) {
    const end64 = record(56, [[0, SIGNATURES.end64, 4]]);
    end64.writeBigUInt64LE(BigInt(parts.length), 32);
    end64.writeBigUInt64LE(BigInt(central.length), 40);
    end64.writeBigUInt64LE(BigInt(at), 48);
    const locator = record(20, [[0, SIGNATURES.locator, 4]]);
    locator.writeBigUInt64LE(BigInt(at + central.length), 8);
    tail.push(end64, locator);
  }
  const end = record(22, [
    [0, SIGNATURES.end, 4],
    [10, zip64 ? 0xffff : parts.length, 2],
    [12, zip64 ? ELSEWHERE : central.length, 4],
    [16, zip64 ? ELSEWHERE : at, 4],
    [20, comment.length, 2],
  ]);
  return Buffer.concat([...local, central, ...tail, end, Buffer.from(comment)]);
}
