/** Kernels of the native backend that move elements do what tfjs's cpu backend does. */
import assert from 'node:assert/strict';
import { tf } from '../../src/nn/tfjs.js';
import { test } from 'node:test';
import { startBackend } from '../../src/nn/backend/backend.js';
import { gpuSkip, onProcessorOnly } from './kernel-settings.js';
import { booleans, floats, integers, onNative, sameAsCpu } from './plain-comparison.js';

sameAsCpu('transposes of matrices of any size', () =>
  [
    [1, 1],
    [1, 7],
    [7, 1],
    [3, 5],
    [4, 4],
    [16, 16],
    [17, 33],
    [130, 70],
    [5, 2000],
    [0, 4],
  ].map((shape) => tf.transpose(floats(shape))),
);
sameAsCpu('every permutation of four dimensions', () => {
  const rest = (used: number[]): number[][] =>
    used.length === 4
      ? [used]
      : [0, 1, 2, 3].filter((d) => !used.includes(d)).flatMap((d) => rest([...used, d]));
  return rest([]).map((permutation) => tf.transpose(floats([3, 5, 4, 6]), permutation));
});
sameAsCpu('transposes of whole numbers, of booleans, and of six dimensions', () => [
  tf.transpose(integers([9, 21])),
  tf.transpose(booleans([9, 21])),
  tf.transpose(floats([2, 3, 2, 3, 2, 3]), [5, 3, 1, 0, 2, 4]),
  tf.transpose(floats([40, 3, 8]), [1, 0, 2]),
  tf.transpose(integers([3, 45, 70]), [0, 2, 1]),
  tf.transpose(booleans([33, 2, 65]), [2, 1, 0]),
]);

sameAsCpu('slices', () => [
  tf.slice(floats([100]), 3, 50),
  tf.slice(floats([50000]), 3),
  tf.slice(floats([7, 9]), [2, 3], [4, 5]),
  tf.slice(floats([7, 9]), [0, 0], [7, 9]),
  tf.slice(integers([4, 5, 6]), [1, 0, 2], [2, 5, 3]),
  tf.slice(booleans([4, 5]), [1, 1], [0, 2]),
]);
sameAsCpu('slices and concatenations at places of any alignment', () =>
  [floats, integers, booleans].flatMap((make) => [
    ...[0, 1, 4, 16, 23].map((begin) => tf.slice(make([4133]), begin)),
    ...[0, 4, 16].map((begin) => tf.slice(make([7, 5, 48]), [1, 2, begin], [5, 3, 32])),
    tf.concat([make([3, 16], 1), make([3, 32], 2), make([3, 5], 3)], 1),
  ]),
);
sameAsCpu('strided slices, backwards and with masks as well', () => [
  tf.stridedSlice(floats([20]), [1], [19], [3]),
  tf.stridedSlice(floats([20]), [18], [2], [-4]),
  tf.stridedSlice(floats([6, 7, 8]), [1, 0, 7], [5, 7, 0], [2, 3, -2]),
  tf.stridedSlice(floats([6, 7]), [1, 0], [4, 7], [1, 1]),
  tf.stridedSlice(floats([6, 7]), [0, 0], [0, 0], [1, 1], 3, 3),
]);
// tfjs's cpu backend takes the strides of the wrong axes here.
onNative('a strided slice may drop an axis', () => {
  const x = tf.tensor2d(
    Float32Array.from({ length: 42 }, (_, i) => i),
    [6, 7],
  );
  const y = tf.stridedSlice(x, [2, 0], [3, 7], [1, 2], 0, 0, 0, 0, 1);
  assert.deepEqual([...y.dataSync()], [14, 16, 18, 20]);
});
onNative('a slice that ends before it begins is empty', () => {
  const y = tf.stridedSlice(floats([6, 7]), [4, 0], [2, 7], [1, 1]);
  assert.deepEqual([y.shape, y.size], [[0, 7], 0]);
});
sameAsCpu('splits and stacks', () => [
  ...tf.split(floats([6, 9]), 3, 1),
  ...tf.split(floats([6, 9]), [1, 0, 5], 0),
  ...tf.unstack(floats([3, 4, 5]), 1),
  ...tf.unstack(integers([2, 3]), -1),
  tf.stack([floats([4, 5], 1), floats([4, 5], 2), floats([4, 5], 3)], 1),
  tf.stack([floats([4, 5], 1), floats([4, 5], 2)], -1),
  tf.stack([integers([3])]),
  tf.stack([tf.scalar(1), tf.scalar(2)]),
]);
sameAsCpu('concatenations', () => [
  tf.concat([floats([2, 3], 1), floats([2, 5], 2), floats([2, 1], 3)], 1),
  tf.concat([floats([2, 3], 1), floats([4, 3], 2)], 0),
  tf.concat([floats([2, 0, 3]), floats([2, 2, 3])], 1),
  tf.concat([floats([0, 3]), floats([0, 3])], 0),
  tf.concat([integers([3, 2, 4], 1), integers([3, 1, 4], 2)], -2),
  tf.concat([booleans([30000], 1), booleans([30000], 2)]),
]);
sameAsCpu('pads', () => [
  tf.pad(floats([5]), [[2, 3]], 1.5),
  tf.pad(floats([3, 4]), [
    [0, 0],
    [1, 70],
  ]),
  tf.pad(
    integers([3, 4]),
    [
      [2, 1],
      [0, 1],
    ],
    9,
  ),
  tf.pad(
    floats([0, 2]),
    [
      [1, 1],
      [0, 0],
    ],
    4,
  ),
]);
sameAsCpu('tiles', () => [
  tf.tile(floats([5]), [3]),
  tf.tile(floats([1, 20]), [30, 1]),
  tf.tile(floats([20, 1]), [1, 30]),
  tf.tile(integers([2, 3, 4]), [2, 1, 3]),
  tf.tile(floats([2, 1, 2, 1, 2]), [2, 2, 2, 2, 2]),
  tf.tile(booleans([3]), [0]),
  tf.broadcastTo(floats([3, 1]), [4, 3, 5]),
]);
sameAsCpu('reversals', () => [
  tf.reverse(floats([9])),
  tf.reverse(floats([4, 5, 6]), [0, 2]),
  tf.reverse(floats([4, 5, 6]), 1),
  tf.reverse(floats([0, 5])),
  tf.reverse(tf.scalar(3)),
]);

sameAsCpu('gathers', () => [
  tf.gather(floats([7]), tf.tensor1d([6, 0, 3, 3], 'int32')),
  tf.gather(
    floats([7, 5]),
    tf.tensor2d(
      [
        [1, 0],
        [6, 6],
      ],
      [2, 2],
      'int32',
    ),
  ),
  tf.gather(floats([4, 7, 300]), tf.tensor1d([6, 1], 'int32'), 1),
  tf.gather(integers([4, 7]), tf.tensor1d([], 'int32'), 1),
  tf.gather(
    floats([3, 4, 5]),
    tf.tensor2d(
      [
        [0, 3],
        [1, 1],
        [2, 0],
      ],
      [3, 2],
      'int32',
    ),
    1,
    1,
  ),
  tf.gather(
    floats([3, 2, 4, 5]),
    tf.tensor2d(
      [
        [0, 3],
        [1, 1],
        [2, 0],
      ],
      [3, 2],
      'int32',
    ),
    2,
    1,
  ),
]);
onProcessorOnly('an index out of range is refused', async () => {
  await startBackend('native');
  for (const index of [-1, 7]) {
    const indices = tf.tensor1d([0, index], 'int32');
    assert.throws(() => tf.gather(floats([7, 5]), indices), {
      name: 'TypeError',
      message: `indices: ${index} is not in [0, 7)`,
    });
    indices.dispose();
  }
});
test('an index out of range gives zeros on a GPU', { skip: gpuSkip() }, async () => {
  await startBackend('native');
  tf.tidy(() => {
    for (const width of [3, 8]) {
      const x = floats([5, width]);
      const [zeros, row] = [tf.zeros([1, width]), (index: number) => tf.slice(x, [index, 0], [1, width])];
      const y = tf.gather(x, tf.tensor1d([4, -1, 5, 2 ** 31 - 1, 0], 'int32'));
      const expected = tf.concat([row(4), zeros, zeros, zeros, row(0)]);
      assert.deepEqual(y.dataSync(), expected.dataSync());
    }
  });
});
onNative('an index out of range is refused where rows have indices of their own', () => {
  for (const index of [-1, 7]) {
    const batched = tf.tensor2d([0, index], [2, 1], 'int32');
    assert.throws(() => tf.gather(floats([2, 7]), batched, 1, 1), {
      message: `gather: the index ${index} is not in [0, 7)`,
    });
  }
});

sameAsCpu('one-hot rows; an index outside has none', () => [
  tf.oneHot(tf.tensor1d([0, 2, 3, -1, 1], 'int32'), 3),
  tf.oneHot(tf.tensor2d([[1, 0]], [1, 2], 'int32'), 2, 0.9, 0.1, 'float32'),
  tf.oneHot(tf.tensor1d([1, 0], 'int32'), 40, 1, 0, 'bool'),
]);
sameAsCpu('choices by a condition, of rows and repeated as well', () => [
  tf.where(booleans([40000]), floats([40000], 1), floats([40000], 2)),
  tf.where(booleans([3, 1]), floats([3, 5], 1), floats([5], 2)),
  tf.where(booleans([4, 5]), integers([4, 5], 1), integers([4, 5], 2)),
  tf.where(booleans([5]), booleans([5], 1), booleans([5], 2)),
  tf.where(tf.scalar(true), floats([2]), floats([2], 3)),
]);
onNative('a condition of fewer dimensions chooses rows', () => {
  const [condition, t, e] = [tf.tensor1d([true, false]), tf.ones([2, 3]), tf.zeros([2, 3])];
  const [y] = [tf.engine().runKernel(tf.Select, { condition, t, e })].flat() as [tf.Tensor];
  assert.deepEqual([...y.dataSync()], [1, 1, 1, 0, 0, 0]);
});
