/** Every format gives the values that were stored, whatever their type and the order in which they lie. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { nodeDisk } from '../../src/host/disk.js';
import { openTensorFile } from '../../src/weights/file/open-tensor-file.js';
import {
  float32,
  npy,
  op,
  safetensors,
  stateDictPickle,
  tensorsOf,
  torchFile,
  withFolder,
} from './weight-files.js';
import { zipOf } from './zip-writer.js';

const bytes16 = (...values: readonly number[]): Buffer => Buffer.from(Uint16Array.from(values).buffer);

test('halves, upper halves and doubles become the float32 they stand for', async () => {
  const halves = [0x3c00, 0xc000, 0x0001, 0x8000, 0x7bff, 0x3555];
  const data = Buffer.concat([bytes16(...halves), bytes16(0x3f80, 0xc049), Buffer.alloc(16)]);
  data.writeDoubleLE(0.1, 16);
  data.writeDoubleLE(-2, 24);
  const read = await tensorsOf(
    'a.safetensors',
    safetensors(
      {
        half: { dtype: 'F16', shape: [6], data_offsets: [0, 12] },
        upper: { dtype: 'BF16', shape: [2], data_offsets: [12, 16] },
        double: { dtype: 'F64', shape: [2, 1], data_offsets: [16, 32] },
      },
      data,
    ),
  );
  assert.deepEqual(read.get('half'), [1, -2, 2 ** -24, -0, 65504, 0.333251953125]);
  assert.deepEqual(read.get('upper'), [1, -3.140625]);
  assert.deepEqual(read.get('double'), [Math.fround(0.1), -2]);
});

test('tensors of several safetensors files are read through their index', () =>
  withFolder(async (folder) => {
    const one = (value: number) =>
      safetensors({ [`t${value}`]: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, float32(value));
    writeFileSync(join(folder, 'model-1.safetensors'), one(1));
    writeFileSync(join(folder, 'model-2.safetensors'), one(2));
    const path = join(folder, 'model.safetensors.index.json');
    const map = { t1: 'model-1.safetensors', t2: 'model-2.safetensors' };
    writeFileSync(path, JSON.stringify({ metadata: {}, weight_map: map }));
    const file = await openTensorFile(nodeDisk, path);
    assert.deepEqual([...file.tensors.keys()], ['t1', 't2']);
    assert.deepEqual([...(await file.read('t2'))], [2]);
    await file.close();

    for (const [text, problem] of [
      ['{', /it is not JSON/],
      ['{}', /it has no weight_map/],
      ['{"weight_map": {}}', /it names no tensor/],
      ['{"weight_map": {"a": "../a.safetensors"}}', /tensor a would be in the file "\.\.\/a\.safetensors"/],
      ['{"weight_map": {"t9": "model-1.safetensors"}}', /model-1\.safetensors has no tensor t9/],
      ['{"weight_map": {"t9": "model-3.safetensors"}}', /CHECKPOINT_NOT_FOUND.*model-3/],
    ] as const) {
      writeFileSync(path, text);
      await assert.rejects(openTensorFile(nodeDisk, path), problem);
    }
  }));

test('a tensor of PyTorch is read by its strides, from any place of a shared storage', async () => {
  const storage = { key: '0', elements: 8 };
  const pickle = stateDictPickle(
    { name: 'rows', ...storage, shape: [2, 3], strides: [3, 1] },
    { name: 'transposed', ...storage, shape: [3, 2], strides: [1, 3] },
    { name: 'later', ...storage, offset: 5, shape: [2], strides: [2] },
    { name: 'same', ...storage, offset: 2, shape: [2, 2], strides: [1, 0] },
    { name: 'scalar', ...storage, offset: 7, shape: [], strides: [] },
    { name: 'none', ...storage, shape: [0, 4], strides: [4, 1] },
  );
  const read = await tensorsOf('a.pth', torchFile(pickle, { 0: float32(0, 1, 2, 3, 4, 5, 6, 7) }));
  assert.deepEqual(Object.fromEntries(read), {
    rows: [0, 1, 2, 3, 4, 5],
    transposed: [0, 3, 1, 4, 2, 5],
    later: [5, 7],
    same: [2, 2, 3, 3],
    scalar: [7],
    none: [],
  });
});

test('a state dict is found in the checkpoint that holds it, the averaged one first', async () => {
  const tensor = stateDictPickle({ name: 'w', key: '0', elements: 1, shape: [1], strides: [1] });
  const inner = tensor.subarray(2, -1);
  const other = stateDictPickle({ name: 'w', key: '1', elements: 1, shape: [1], strides: [1] }).subarray(
    2,
    -1,
  );
  const pickle = Buffer.concat([
    ...[op.start, op.dict, op.text('epoch'), op.int(3), op.setItem],
    ...[op.text('model'), inner, op.setItem, op.text('model_ema'), other, op.setItem, op.stop],
  ]);
  const read = await tensorsOf('a.pt', torchFile(pickle, { 0: float32(1), 1: float32(2) }));
  assert.deepEqual(Object.fromEntries(read), { w: [2] });
});

test('arrays of NumPy are read stored and deflated, in both orders, and BF16 by the name vit_jax gives it', async () => {
  const arrays = [
    { name: 'a/kernel.npy', content: npy('<f4', [2, 3], float32(1, 2, 3, 4, 5, 6)) },
    { name: 'b.npy', content: npy('<f4', [2, 3], float32(1, 4, 2, 5, 3, 6), true) },
    { name: 'c.npy', content: npy('|V2', [1], bytes16(0x3f80)) },
    { name: 'd.npy', content: npy('<f2', [], bytes16(0x3c00)) },
  ];
  const expected = { 'a/kernel': [1, 2, 3, 4, 5, 6], b: [1, 2, 3, 4, 5, 6], c: [1], d: [1] };
  const stored = arrays.map(({ name, content }) => ({ name, packed: content }));
  assert.deepEqual(Object.fromEntries(await tensorsOf('a.npz', zipOf(stored))), expected);
  const deflated = arrays.map(({ name, content }) => ({
    name,
    packed: deflateRawSync(content),
    method: 8,
    bytes: content.length,
  }));
  assert.deepEqual(Object.fromEntries(await tensorsOf('a.npz', zipOf(deflated))), expected);
});

test('archives of the zip64 form, and with a comment, are read', async () => {
  const parts = [{ name: 'w.npy', packed: npy('<f4', [1], float32(9)) }];
  for (const options of [{ zip64: true }, { comment: 'PK made by hand' }]) {
    assert.deepEqual((await tensorsOf('a.npz', zipOf(parts, options))).get('w'), [9]);
  }
});

test('a file that is missing, a folder and a file of another kind are refused by code', () =>
  withFolder(async (folder) => {
    mkdirSync(join(folder, 'is.pth'));
    for (const [name, code] of [
      ['missing.pth', 'CHECKPOINT_NOT_FOUND'],
      ['is.pth', 'WEIGHTS_UNREADABLE'],
      ['notes.txt', 'WEIGHTS_FORMAT_UNKNOWN'],
    ] as const) {
      await assert.rejects(openTensorFile(nodeDisk, join(folder, name)), { code });
    }
  }));
