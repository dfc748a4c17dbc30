/** Size and SHA-256 of a file, read piece by piece. */
import { createHash } from 'node:crypto';
import { closeAnyway, type Disk } from '../../host/disk.js';

export interface FileDigest {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

const PIECE_BYTES = 2 ** 20;

/** Rejects with the file system's own error. */
export async function fileDigest(disk: Disk, path: string): Promise<FileDigest> {
  const hash = createHash('sha256');
  const file = await disk.open(path, 'r');
  try {
    let bytes = 0;
    const piece = new Uint8Array(Math.min(PIECE_BYTES, Math.max(1, await file.size())));
    for (;;) {
      const read = await file.readAt(piece, bytes);
      if (read === 0) return { sha256: hash.digest('hex'), bytes };
      hash.update(piece.subarray(0, read));
      bytes += read;
    }
  } finally {
    await closeAnyway(file);
  }
}

export function textDigest(text: string): FileDigest {
  const data = Buffer.from(text);
  return { sha256: createHash('sha256').update(data).digest('hex'), bytes: data.length };
}
