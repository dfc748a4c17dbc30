/** Reads and writes float32 safetensors files piece by piece, so that a large model needs no second copy. */
import { createHash } from 'node:crypto';
import { coded } from '../../errors/errors.js';
import { closeAnyway, type Disk, type DiskFile } from '../../host/disk.js';
import { readError, writeError } from './checkpoint-errors.js';
import type { FileDigest } from './file-digest.js';
import { fromLittleEndian, littleEndianBytes } from './little-endian.js';
import { elementCount } from '../../weights/format/element-types.js';
import {
  LENGTH_BYTES,
  decodeHeader,
  encodeHeader,
  headerLength,
  type SafetensorsHeader,
  type StoredTensor,
  type TensorEntry,
} from '../../weights/format/safetensors-header.js';

/** A tensor with its values. */
export interface NamedTensor extends TensorEntry {
  /** As many values as the shape says. They may lie on a SharedArrayBuffer. */
  readonly data: Float32Array;
}

/** Bytes read or written at once, so few that hashing them does not block the event loop for long. */
const PIECE_BYTES = 2 ** 20;
const PIECE_ELEMENTS = PIECE_BYTES / Float32Array.BYTES_PER_ELEMENT;

function corrupt(path: string, problem: string) {
  return coded('CHECKPOINT_CORRUPT', { path, problem });
}

/** The file's bytes in pieces. Half of a ViT's tensors are a few kilobytes long: several of them share a piece. */
function* filePieces(header: Uint8Array, tensors: readonly NamedTensor[]): Generator<Uint8Array> {
  let joined = [header];
  let bytes = header.length;
  for (const { data } of tensors) {
    for (let at = 0; at < data.length; at += PIECE_ELEMENTS) {
      const piece = littleEndianBytes(data.subarray(at, at + PIECE_ELEMENTS));
      if (bytes + piece.length > PIECE_BYTES) {
        yield inOnePiece(joined);
        joined = [];
        bytes = 0;
      }
      joined.push(piece);
      bytes += piece.length;
    }
  }
  yield inOnePiece(joined);
}

function inOnePiece(pieces: readonly Uint8Array[]): Uint8Array {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/**
 * Writes `tensors` one after the other, in the order given, and forces them to the disk.
 * The values must not change until the promise settles.
 * @returns size and SHA-256 of the file
 * @throws CHECKPOINT_WRITE_FAILED; INTERNAL if a tensor does not have as many values as its shape says
 */
export async function writeSafetensors(
  disk: Disk,
  path: string,
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<FileDigest> {
  for (const { name, shape, data } of tensors) {
    if (data.length !== elementCount(shape)) {
      const reason = `tensor ${name} of shape [${shape.join(', ')}] has ${data.length} values`;
      throw coded('INTERNAL', { reason });
    }
  }
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    const file = await disk.open(path, 'w');
    try {
      for (const piece of filePieces(encodeHeader(tensors, metadata), tensors)) {
        hash.update(piece);
        bytes += piece.length;
        await file.append(piece);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (thrown) {
    throw writeError(path, thrown);
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Fills `into` with the bytes from `position` on; false if the file ends before. */
async function readFully(file: DiskFile, into: Uint8Array, position: number): Promise<boolean> {
  let done = 0;
  while (done < into.length) {
    const length = Math.min(into.length - done, 2 ** 30);
    const read = await file.readAt(into.subarray(done, done + length), position + done);
    if (read === 0) return false;
    done += read;
  }
  return true;
}

async function headerOf(file: DiskFile, path: string): Promise<SafetensorsHeader> {
  const size = await file.size();
  const first = new Uint8Array(Math.min(LENGTH_BYTES, size));
  await readFully(file, first, 0);
  const length = headerLength(first, size);
  if (typeof length === 'string') throw corrupt(path, length);
  const json = new Uint8Array(length);
  await readFully(file, json, LENGTH_BYTES);
  const header = decodeHeader(json, size);
  if (typeof header === 'string') throw corrupt(path, header);
  const other = header.tensors.find(({ type }) => type !== 'F32');
  if (other !== undefined) throw corrupt(path, `tensor ${other.name} has dtype "${other.type}", not "F32"`);
  return header;
}

async function reading<T>(disk: Disk, path: string, body: (file: DiskFile) => Promise<T>): Promise<T> {
  try {
    const file = await disk.open(path, 'r');
    try {
      return await body(file);
    } finally {
      await closeAnyway(file);
    }
  } catch (thrown) {
    throw readError(path, thrown);
  }
}

/**
 * The checked header of a safetensors file.
 * @throws CHECKPOINT_CORRUPT, CHECKPOINT_NOT_FOUND, CHECKPOINT_UNREADABLE
 */
export function readSafetensorsHeader(disk: Disk, path: string): Promise<SafetensorsHeader> {
  return reading(disk, path, (file) => headerOf(file, path));
}

interface Target {
  readonly tensor: StoredTensor;
  readonly values: Float32Array;
}

/** Tensors to read, those that lie next to each other together as far as they fit into one piece. */
function neighboursOf(targets: readonly Target[]): readonly (readonly Target[])[] {
  const groups: Target[][] = [];
  let endsAt = -1;
  let bytes = 0;
  for (const target of targets) {
    const { tensor } = target;
    const joins = tensor.start === endsAt && bytes + tensor.bytes <= PIECE_BYTES;
    if (joins) groups.at(-1)!.push(target);
    else groups.push([target]);
    bytes = (joins ? bytes : 0) + tensor.bytes;
    endsAt = tensor.start + tensor.bytes;
  }
  return groups;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

async function readTogether(file: DiskFile, path: string, group: readonly Target[]): Promise<void> {
  const { tensor: first, values: firstValues } = group[0]!;
  const { tensor: last } = group.at(-1)!;
  const alone = group.length === 1;
  const bytes = alone ? bytesOf(firstValues) : new Uint8Array(last.start + last.bytes - first.start);
  if (!(await readFully(file, bytes, first.start))) {
    const names = alone ? `tensor ${first.name}` : `tensors ${first.name} to ${last.name}`;
    throw corrupt(path, `it ends within ${names}`);
  }
  for (const { tensor, values } of group) {
    const from = tensor.start - first.start;
    if (!alone) bytesOf(values).set(bytes.subarray(from, from + tensor.bytes));
    fromLittleEndian(values);
  }
}

/**
 * Reads every tensor of the file into the array that `target` gives for it; null leaves the tensor out.
 * @throws as `readSafetensorsHeader`; INTERNAL if a target has another length than its tensor
 */
export function readTensors(
  disk: Disk,
  path: string,
  target: (tensor: StoredTensor) => Float32Array | null,
): Promise<SafetensorsHeader> {
  return reading(disk, path, async (file) => {
    const header = await headerOf(file, path);
    const targets = header.tensors.flatMap((tensor) => {
      const values = target(tensor);
      if (values === null) return [];
      if (values.byteLength === tensor.bytes) return [{ tensor, values }];
      const reason = `${values.byteLength} bytes for tensor ${tensor.name} of ${tensor.bytes}`;
      throw coded('INTERNAL', { reason });
    });
    for (const group of neighboursOf(targets)) await readTogether(file, path, group);
    return header;
  });
}

/**
 * Reads a whole file into memory, for models of other programs: tensors by name. Throws as
 * `readSafetensorsHeader`.
 */
export async function readSafetensors(disk: Disk, path: string): Promise<ReadonlyMap<string, NamedTensor>> {
  const tensors = new Map<string, NamedTensor>();
  await readTensors(disk, path, ({ name, shape, bytes }) => {
    const data = new Float32Array(bytes / Float32Array.BYTES_PER_ELEMENT);
    tensors.set(name, { name, shape, data });
    return data;
  });
  return tensors;
}
