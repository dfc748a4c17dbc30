/** Finds files with the same content: by size first, then by SHA-256 of those that share a size. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { reasonOf } from '../../errors/errors.js';

const FILES_AT_ONCE = 8;

export interface SizedFile {
  readonly path: string;
  readonly bytes: number;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('base64');
}

/**
 * Groups `members`, which are positions in `files`, by content. Calls `onFault` for files that can no longer
 * be read.
 */
async function groupsOf(
  files: readonly SizedFile[],
  members: readonly number[],
  onFault: (at: number, reason: string) => void,
): Promise<Map<string, number[]>> {
  const digests = new Array<string | null>(members.length).fill(null);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < members.length) {
      const i = next++;
      const at = members[i]!;
      try {
        digests[i] = await digestOf(files[at]!.path);
      } catch (thrown) {
        onFault(at, reasonOf(thrown));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(FILES_AT_ONCE, members.length) }, lane));
  const groups = new Map<string, number[]>();
  for (const [i, digest] of digests.entries()) {
    if (digest === null) continue;
    const group = groups.get(digest);
    if (group === undefined) groups.set(digest, [members[i]!]);
    else group.push(members[i]!);
  }
  return groups;
}

/**
 * The groups of at least two files with the same content, as positions in `files`. Positions within a group
 * rise, and groups are in the order of their first position. Memory holds only the positions and the digests
 * of files of one size.
 */
export async function equalFiles(
  files: readonly SizedFile[],
  onFault: (at: number, reason: string) => void,
): Promise<number[][]> {
  const order = Uint32Array.from(files.keys()).sort((a, b) => files[a]!.bytes - files[b]!.bytes || a - b);
  const equal: number[][] = [];
  for (let from = 0, to = 0; from < order.length; from = to) {
    const { bytes } = files[order[from]!]!;
    while (to < order.length && files[order[to]!]!.bytes === bytes) to++;
    if (to - from < 2) continue;
    const groups = await groupsOf(files, [...order.subarray(from, to)], onFault);
    for (const group of groups.values()) if (group.length > 1) equal.push(group);
  }
  return equal.sort((a, b) => a[0]! - b[0]!);
}
