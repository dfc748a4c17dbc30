/**
 * Writes the header of a safetensors file from a list of tensors, and reads one, checking everything in it.
 */

import { elementCount, elementWidth, isElementType, type ElementType } from './element-types.js';

/** A tensor of a file. */
export interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A tensor and the position of its bytes in the file. */
export interface StoredTensor extends TensorEntry {
  readonly type: ElementType;
  readonly start: number;
  readonly bytes: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes. */
  readonly tensors: readonly StoredTensor[];
}

/** The format's own limit on the header. */
const MAX_HEADER_BYTES = 100_000_000;
/** Before the header is its length, as an unsigned 64-bit integer. */
export const LENGTH_BYTES = 8;
const FLOAT32_BYTES = 4;

/**
 * The bytes before the data of float32 tensors: length, then JSON padded with spaces to a multiple of 8.
 * Tensors lie one after the other in the order given.
 */
export function encodeHeader(
  tensors: readonly TensorEntry[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const fields: [string, unknown][] = [['__metadata__', metadata]];
  let offset = 0;
  for (const { name, shape } of tensors) {
    const end = offset + elementCount(shape) * FLOAT32_BYTES;
    fields.push([name, { dtype: 'F32', shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(fields)));
  const padded = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(LENGTH_BYTES + padded).fill(0x20, LENGTH_BYTES);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true);
  out.set(json, LENGTH_BYTES);
  return out;
}

/** The header's length in bytes from a file's first 8 bytes, or what is wrong with it. */
export function headerLength(firstBytes: Uint8Array, fileBytes: number): number | string {
  if (firstBytes.length < LENGTH_BYTES) return `${fileBytes} bytes are too few for a safetensors file`;
  const view = new DataView(firstBytes.buffer, firstBytes.byteOffset, LENGTH_BYTES);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) return `a header of ${length.toString()} bytes`;
  if (LENGTH_BYTES + Number(length) > fileBytes) {
    return `a header of ${length.toString()} bytes in a file of ${fileBytes}`;
  }
  return Number(length);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** The tensor called `name`, its start relative to the data, or what is wrong with it. */
function parseTensor(name: string, field: unknown): StoredTensor | string {
  if (!isRecord(field)) return `tensor ${name} is not described by an object`;
  const { dtype, shape, data_offsets: offsets } = field;
  if (!isElementType(dtype)) return `tensor ${name} has dtype ${JSON.stringify(dtype)}, which is not known`;
  if (!isCounts(shape)) return `tensor ${name} has shape ${JSON.stringify(shape)}`;
  const [start, end] = isCounts(offsets) && offsets.length === 2 ? offsets : [];
  if (start === undefined || end === undefined || end < start) {
    return `tensor ${name} has offsets ${JSON.stringify(offsets)}`;
  }
  if (end - start !== elementCount(shape) * elementWidth(dtype)) {
    return `tensor ${name} of shape [${shape.join(', ')}] has ${end - start} bytes`;
  }
  return { name, type: dtype, shape, start, bytes: end - start };
}

function parseMetadata(field: unknown): Readonly<Record<string, string>> | string {
  if (field === undefined) return {};
  if (!isRecord(field)) return '__metadata__ is not an object';
  const entries: [string, string][] = [];
  for (const [key, value] of Object.entries(field)) {
    if (typeof value !== 'string') return `__metadata__ entry ${key} is not a string`;
    entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

/** The tensors, if they cover the data without gap or overlap from its first to its last byte. */
function placeTensors(tensors: readonly StoredTensor[], dataStart: number, fileBytes: number) {
  const sorted = [...tensors].sort((a, b) => a.start - b.start || a.bytes - b.bytes);
  let end = 0;
  for (const { name, start, bytes } of sorted) {
    if (start < end) return `tensor ${name} overlaps the one before it`;
    if (start > end) return `${start - end} bytes before tensor ${name} belong to none`;
    end = start + bytes;
  }
  const present = fileBytes - dataStart;
  if (end !== present) return `its tensors take ${end} bytes and the file holds ${present}`;
  return sorted.map((tensor) => ({ ...tensor, start: dataStart + tensor.start }));
}

/**
 * The header from its JSON bytes, or what is wrong with it: types, shapes, offsets, overlaps, gaps, file size.
 * Format: https://github.com/huggingface/safetensors (README, "Format").
 */
export function decodeHeader(json: Uint8Array, fileBytes: number): SafetensorsHeader | string {
  let fields: unknown;
  try {
    fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch {
    return 'its header is not JSON';
  }
  if (!isRecord(fields)) return 'its header is not an object';
  const metadata = parseMetadata(fields['__metadata__']);
  if (typeof metadata === 'string') return metadata;
  const tensors: StoredTensor[] = [];
  for (const [name, field] of Object.entries(fields)) {
    if (name === '__metadata__') continue;
    const tensor = parseTensor(name, field);
    if (typeof tensor === 'string') return tensor;
    tensors.push(tensor);
  }
  const placed = placeTensors(tensors, LENGTH_BYTES + json.length, fileBytes);
  return typeof placed === 'string' ? placed : { metadata, tensors: placed };
}
