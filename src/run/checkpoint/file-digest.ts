/** Size and SHA-256 of a file, read piece by piece. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

export interface FileDigest {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

const PIECE_BYTES = 2 ** 20;

/** Rejects with the file system's own error. */
export async function fileDigest(path: string): Promise<FileDigest> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES })) {
    const data = piece as Buffer;
    hash.update(data);
    bytes += data.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

export function textDigest(text: string): FileDigest {
  const data = Buffer.from(text);
  return { sha256: createHash('sha256').update(data).digest('hex'), bytes: data.length };
}
