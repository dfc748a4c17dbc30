/** Reads and writes float32 safetensors files piece by piece, so that a large model needs no second copy. */
import { createHash } from 'node:crypto';
import { coded } from '../../errors/errors.js';
import type { Disk, DiskFile } from '../../host/disk.js';
import { readError, writeError } from './checkpoint-errors.js';
import type { FileDigest } from './file-digest.js';
import { fromLittleEndian, littleEndianBytes } from './little-endian.js';
import {
  LENGTH_BYTES,
  decodeHeader,
  elementCount,
  encodeHeader,
  headerLength,
  type SafetensorsHeader,
  type StoredTensor,
  type TensorEntry,
} from './safetensors-header.js';

/** A tensor with its values. */
export interface NamedTensor extends TensorEntry {
  /** As many values as the shape says. They may lie on a SharedArrayBuffer. */
  readonly data: Float32Array;
}

/** Bytes written at once, so few that hashing them does not block the event loop for long. */
const PIECE_ELEMENTS = 2 ** 18;

function corrupt(path: string, problem: string) {
  return coded('CHECKPOINT_CORRUPT', { path, problem });
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
    const append = async (piece: Uint8Array): Promise<void> => {
      hash.update(piece);
      bytes += piece.length;
      await file.append(piece);
    };
    try {
      await append(encodeHeader(tensors, metadata));
      for (const { data } of tensors) {
        for (let at = 0; at < data.length; at += PIECE_ELEMENTS) {
          await append(littleEndianBytes(data.subarray(at, at + PIECE_ELEMENTS)));
        }
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
  return header;
}

async function reading<T>(disk: Disk, path: string, body: (file: DiskFile) => Promise<T>): Promise<T> {
  try {
    const file = await disk.open(path, 'r');
    try {
      return await body(file);
    } finally {
      await file.close();
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
    for (const tensor of header.tensors) {
      const values = target(tensor);
      if (values === null) continue;
      if (values.byteLength !== tensor.bytes) {
        const reason = `${values.byteLength} bytes for tensor ${tensor.name} of ${tensor.bytes}`;
        throw coded('INTERNAL', { reason });
      }
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      if (!(await readFully(file, bytes, tensor.start))) {
        throw corrupt(path, `it ends within tensor ${tensor.name}`);
      }
      fromLittleEndian(values);
    }
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
