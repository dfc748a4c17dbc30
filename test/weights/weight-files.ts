/** Files of weights for tests, written byte by byte. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VitrailError } from '../../src/errors/errors.js';
import { nodeDisk } from '../../src/host/disk.js';
import { openTensorFile } from '../../src/weights/file/open-tensor-file.js';
import { zipOf } from './zip-writer.js';

/** Gives `body` a folder that is gone afterwards. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-weights-'));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** All tensors of a file with these bytes. */
export async function tensorsOf(name: string, bytes: Uint8Array): Promise<ReadonlyMap<string, number[]>> {
  const values = new Map<string, number[]>();
  await withFolder(async (folder) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    const file = await openTensorFile(nodeDisk, path);
    try {
      for (const tensor of file.tensors.keys()) values.set(tensor, [...(await file.read(tensor))]);
    } finally {
      await file.close();
    }
  });
  return values;
}

/** The code and the text of the error with which reading a file of these bytes ends. */
export async function refusal(name: string, bytes: Uint8Array): Promise<string> {
  try {
    await tensorsOf(name, bytes);
  } catch (error) {
    assert.ok(error instanceof VitrailError, String(error));
    return error.message;
  }
  return 'no error';
}

// --- safetensors

export function safetensors(header: unknown, data: Uint8Array): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

export function float32(...values: readonly number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}

// --- NumPy

export function npy(descr: string, shape: readonly number[], data: Uint8Array, fortran = false): Buffer {
  const sides = shape.length === 1 ? `${shape[0]!},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${sides}), }\n`;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), length, Buffer.from(text), data]);
}

// --- pickles

const le = (value: number, bytes: number): Buffer => {
  const out = Buffer.alloc(bytes);
  out.writeIntLE(value, 0, bytes);
  return out;
};

/** Opcodes of a pickle by their meaning. */
export const op = {
  start: Buffer.from([0x80, 2]),
  stop: Buffer.from('.'),
  mark: Buffer.from('('),
  none: Buffer.from('N'),
  no: Buffer.from([0x89]),
  int: (value: number) => Buffer.concat([Buffer.from('J'), le(value, 4)]),
  text: (value: string) => Buffer.concat([Buffer.from('X'), le(value.length, 4), Buffer.from(value)]),
  global: (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`),
  dict: Buffer.from('}'),
  emptyTuple: Buffer.from(')'),
  tuple: Buffer.from('t'),
  call: Buffer.from('R'),
  persistent: Buffer.from('Q'),
  setItem: Buffer.from('s'),
  build: Buffer.from('b'),
};

export interface PickledTensor {
  readonly name: string;
  readonly storage?: string;
  readonly key: string;
  readonly elements: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

const tupleOf = (...items: readonly Buffer[]): Buffer => Buffer.concat([op.mark, ...items, op.tuple]);

/** What PyTorch pickles for a tensor. */
function pickledTensor({
  storage = 'FloatStorage',
  key,
  elements,
  offset = 0,
  shape,
  strides,
}: PickledTensor) {
  const id = tupleOf(
    op.text('storage'),
    op.global('torch', storage),
    op.text(key),
    op.text('cpu'),
    op.int(elements),
  );
  const arguments_ = tupleOf(
    Buffer.concat([id, op.persistent]),
    op.int(offset),
    tupleOf(...shape.map(op.int)),
    tupleOf(...strides.map(op.int)),
    op.no,
    Buffer.concat([op.global('collections', 'OrderedDict'), op.emptyTuple, op.call]),
  );
  return Buffer.concat([op.global('torch._utils', '_rebuild_tensor_v2'), arguments_, op.call]);
}

export function stateDictPickle(...tensors: readonly PickledTensor[]): Buffer {
  const items = tensors.map((tensor) =>
    Buffer.concat([op.text(tensor.name), pickledTensor(tensor), op.setItem]),
  );
  return Buffer.concat([op.start, op.dict, ...items, op.stop]);
}

/** A file as torch.save writes it. */
export function torchFile(pickle: Uint8Array, storages: Readonly<Record<string, Uint8Array>>): Buffer {
  return zipOf([
    { name: 'model/data.pkl', packed: pickle },
    { name: 'model/byteorder', packed: Buffer.from('little') },
    ...Object.entries(storages).map(([key, packed]) => ({ name: `model/data/${key}`, packed })),
  ]);
}
