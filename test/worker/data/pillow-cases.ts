/** The files of test/fixtures/images and what Pillow makes of them; make.py there wrote them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FIXTURES = 'test/fixtures/images';

type Edit =
  | readonly ['cut', number]
  | readonly ['set' | 'insert', number, string]
  | readonly ['remove', number, number];

interface StoredCase {
  readonly name?: string;
  readonly at?: number;
  readonly length?: number;
  readonly of?: string;
  readonly edits?: readonly Edit[];
  readonly refused?: boolean;
  readonly size?: readonly [number, number];
  readonly sha256?: string;
  readonly pixels?: string;
}

export interface PillowCase {
  /** The file's name, with the edits that damaged it. */
  readonly id: string;
  readonly whole: boolean;
  readonly bytes: Buffer;
  /** What Pillow reads; null if it refuses. `sha256` is the start of the digest. */
  readonly read: { readonly size: readonly [number, number]; readonly sha256: string } | null;
  /** Deflated, base64, where they are kept. */
  readonly pixels: string | undefined;
}

function edited(bytes: Buffer, edit: Edit): Buffer {
  const [kind, at] = edit;
  if (kind === 'cut') return bytes.subarray(0, at);
  if (kind === 'remove') return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + edit[2])]);
  const added = Buffer.from(edit[2], 'hex');
  const next = kind === 'set' ? at + added.length : at;
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(next)]);
}

/** Cases in which we differ on purpose, as docs/images.md says: `HOW: ID`. */
export function knownDifferences(): string[] {
  const file = readFileSync(join(FIXTURES, 'differences.json'), 'utf8');
  return Object.values(JSON.parse(file) as Record<string, string[]>).flat();
}

export function pillowCases(): PillowCase[] {
  const { cases } = JSON.parse(readFileSync(join(FIXTURES, 'cases.json'), 'utf8')) as { cases: StoredCase[] };
  const files = readFileSync(join(FIXTURES, 'files.bin'));
  const whole = new Map<string, Buffer>();
  return cases.map(({ name, at = 0, length = 0, of = '', edits = [], size, sha256, pixels }) => {
    if (name !== undefined) whole.set(name, files.subarray(at, at + length));
    const id = name ?? `${of} ${JSON.stringify(edits)}`;
    const bytes = edits.reduce(edited, whole.get(name ?? of) ?? Buffer.alloc(0));
    const read = size === undefined || sha256 === undefined ? null : { size, sha256 };
    return { id, whole: name !== undefined, bytes, read, pixels };
  });
}
