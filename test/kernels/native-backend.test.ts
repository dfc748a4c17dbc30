/** Tensors of the native backend hold what was written, count their holders and give their memory back. */
import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import { tf } from '../../src/nn/tfjs.js';
import { startBackend } from '../../src/nn/backend/backend.js';
import { loadKernels } from '../../src/kernels/addon.js';
import { STORAGE } from '../../src/kernels/kernel-api/memory.js';
import {
  bufferOf,
  emptyTensor,
  nativeKernels,
  storageOf,
  wrapHost,
} from '../../src/nn/backend/tensor-buffers.js';
import { processorSkip } from './kernel-settings.js';

const loaded = loadKernels();
const skip = loaded.kernels === undefined ? loaded.reason : false;

before(async () => {
  if (skip === false) await startBackend('native');
});

test('values of every type and length come back as they were written', { skip }, () => {
  const floats = Float32Array.of(1, -0, NaN, Infinity, -Infinity, 1e-45, 3.5);
  assert.deepEqual(tf.tensor1d(floats).dataSync(), floats);
  assert.deepEqual(
    tf.tensor1d([1, -(2 ** 31), 2 ** 31 - 1], 'int32').dataSync(),
    Int32Array.of(1, -(2 ** 31), 2 ** 31 - 1),
  );
  assert.deepEqual(tf.tensor1d([true, false, true]).dataSync(), Uint8Array.of(1, 0, 1));
  assert.deepEqual(tf.tensor2d([], [0, 3]).dataSync(), new Float32Array(0));
  assert.deepEqual(tf.scalar(7).dataSync(), Float32Array.of(7));
});

test('values of another array type are converted, not taken by their bits', { skip }, () => {
  assert.deepEqual(tf.tensor1d(Int32Array.of(1, -2), 'float32').dataSync(), Float32Array.of(1, -2));
});

test('data can be read asynchronously', { skip }, async () => {
  assert.deepEqual(await tf.tensor1d([1, 2]).data(), Float32Array.of(1, 2));
});

test(
  'reads of every type and size under way at a time all arrive, and leave nothing behind',
  { skip },
  async () => {
    const start = nativeKernels().memory().blocksInUse;
    const lengths = [0, 1, 7, 1023, 1025, 2 ** 18 + 1];
    const tensors = lengths.flatMap((length, i) => {
      const values = Float32Array.from({ length }, (_, at) => (at % 97) + i);
      const narrow = emptyTensor<tf.Rank.R1>([length], 'float32', STORAGE.bf16);
      const wide = tf.tensor1d(values);
      nativeKernels().convert({ x: bufferOf(wide), y: bufferOf(narrow), length });
      return [
        wide,
        narrow,
        tf.tensor1d(values, 'int32'),
        tf.tensor1d(
          values.map((v) => v % 2),
          'bool',
        ),
      ];
    });
    const expected = tensors.map((tensor) => tensor.dataSync());
    const reads = [1, 2].flatMap(() => tensors.map(async (tensor) => tensor.data()));
    // Buffers may be released before their copies have come.
    tf.dispose(tensors);
    assert.deepEqual(await Promise.all(reads), [...expected, ...expected]);
    assert.equal(nativeKernels().memory().blocksInUse, start);
  },
);

test('what is read is a copy', { skip }, () => {
  const x = tf.tensor1d([1, 2]);
  x.dataSync().fill(9);
  assert.deepEqual([...x.dataSync()], [1, 2]);
});

test('a buffer lives until its last tensor is disposed', { skip }, () => {
  const start = nativeKernels().memory().bytesInUse;
  const data = tf.memory().numDataBuffers;
  const x = tf.tensor1d([1, 2, 3]);
  const y = tf.reshape(x, [3, 1]);
  const z = tf.clone(y);
  assert.equal(bufferOf(x), bufferOf(z));
  assert.equal(nativeKernels().memory().bytesInUse, start + 12);
  x.dispose();
  y.dispose();
  assert.deepEqual([...z.dataSync()], [1, 2, 3]);
  z.dispose();
  assert.equal(nativeKernels().memory().bytesInUse, start);
  assert.equal(tf.memory().numDataBuffers, data);
});

test('tidy releases the buffers of what it disposes', { skip }, () => {
  const start = nativeKernels().memory().blocksInUse;
  tf.tidy(() => {
    for (let i = 0; i < 10; i++) tf.reshape(tf.zeros([4, 4]), [16]);
    emptyTensor([5], 'float32', STORAGE.bf16);
  });
  assert.equal(nativeKernels().memory().blocksInUse, start);
});

test('tensors of another backend are moved when they are used, holders included', { skip }, async () => {
  await startBackend('cpu');
  const x = tf.tensor1d([1, 2, 3]);
  const alias = x.clone();
  await startBackend('native');
  const y = tf.reshape(x, [3, 1]);
  assert.deepEqual([...y.dataSync()], [1, 2, 3]);
  x.dispose();
  y.dispose();
  assert.deepEqual([...alias.dataSync()], [1, 2, 3]);
  await startBackend('cpu');
  assert.deepEqual([...tf.reshape(alias, [3, 1]).dataSync()], [1, 2, 3], 'and back');
  alias.dispose();
  await startBackend('native');
});

test('memory is reported from the allocator', { skip }, () => {
  const before = tf.memory() as tf.MemoryInfo & { bytesInUse: number };
  const x = tf.zeros([100]);
  const after = tf.memory() as tf.MemoryInfo & { bytesInUse: number };
  assert.equal(after.bytesInUse - before.bytesInUse, 400);
  assert.equal(after.unreliable, false);
  x.dispose();
});

const processorOnly = { skip: processorSkip() };
test('a tensor on host memory sees what is written there, and leaves the memory alone', processorOnly, () => {
  const shared = new Float32Array(new SharedArrayBuffer(24));
  const start = nativeKernels().memory().bytesInUse;
  const x = wrapHost<tf.Rank.R2>(shared.subarray(2), [2, 2]);
  shared.set([1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...x.dataSync()], [3, 4, 5, 6]);
  assert.equal(nativeKernels().memory().bytesInUse, start);
  x.dispose();
  assert.deepEqual([...shared], [1, 2, 3, 4, 5, 6]);
});

test('host memory of another size than the shape is refused', { skip }, () => {
  assert.throws(() => wrapHost(new Float32Array(3), [2, 2]), {
    code: 'INTERNAL',
    message: /3 values .*\[2, 2\]/,
  });
});

test('an empty tensor has the storage that was asked for', { skip }, () => {
  tf.tidy(() => {
    assert.equal(storageOf(emptyTensor([2])), STORAGE.f32);
    assert.equal(storageOf(emptyTensor([2], 'float32', STORAGE.bf16)), STORAGE.bf16);
    assert.equal(storageOf(emptyTensor([2], 'bool')), STORAGE.u8);
    assert.deepEqual(emptyTensor<tf.Rank.R2>([2, 3], 'int32').shape, [2, 3]);
  });
});

test('tensors of strings are refused', { skip }, () => {
  assert.throws(() => tf.tensor1d(['a']), { code: 'TENSOR_TYPE_UNSUPPORTED', message: /string/ });
});

test('a disposed tensor is refused', { skip }, () => {
  const x = tf.tensor1d([1]);
  x.dispose();
  assert.throws(() => x.dataSync(), /disposed/);
  assert.throws(() => bufferOf(x));
});
