/** Matrix products of the native backend do what tfjs's cpu backend does. */
import assert from 'node:assert/strict';
import { tf } from '../../src/nn/tfjs.js';
import { floats, integers, onNative, sameAsCpu } from './plain-comparison.js';

const SIZES = [
  ...([
    [1, 1, 1],
    [2, 3, 4],
    [17, 5, 33],
    [64, 64, 64],
    [65, 130, 31],
    [1, 300, 1],
  ] as const),
  ...([
    [0, 3, 4],
    [3, 0, 4],
    [3, 4, 0],
  ] as const),
];

for (const [transposeA, transposeB] of [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const) {
  sameAsCpu(
    `products of matrices of any size, ${transposeA ? 'a transposed, ' : ''}${transposeB ? 'b transposed' : ''}`,
    () =>
      SIZES.flatMap(([m, k, n]) =>
        [[], [3]].map((batch) =>
          tf.matMul(
            floats([...batch, ...(transposeA ? [k, m] : [m, k])], 1),
            floats([...batch, ...(transposeB ? [n, k] : [k, n])], 2),
            transposeA,
            transposeB,
          ),
        ),
      ),
    3e-5,
  );
}

sameAsCpu(
  'one matrix times many, and many dimensions of matrices',
  () => [
    tf.matMul(floats([5, 4, 3], 1), floats([3, 6], 2)),
    tf.matMul(floats([4, 3], 1), floats([5, 3, 6], 2)),
    tf.matMul(floats([2, 5, 4, 3], 1), floats([2, 5, 3, 6], 2)),
    tf.matMul(floats([1, 5, 4, 3], 1), floats([5, 3, 6], 2)),
  ],
  1e-5,
);
onNative('matrices are repeated along dimensions of size 1', () => {
  const [a, b] = [floats([2, 1, 4, 3], 1), floats([5, 3, 6], 2)];
  const y = tf.matMul(a, b);
  assert.deepEqual(y.shape, [2, 5, 4, 6]);
  const whole = tf.matMul(tf.tile(a, [1, 5, 1, 1]), tf.tile(tf.reshape(b, [1, 5, 3, 6]), [2, 1, 1, 1]));
  assert.deepEqual(y.dataSync(), whole.dataSync());
});
sameAsCpu('products of whole numbers', () => tf.matMul(integers([5, 7], 1), integers([7, 3], 2)));

for (const activation of ['linear', 'relu', 'relu6', 'sigmoid'] as const) {
  sameAsCpu(
    `fused products: a bias of rows, of elements or none, then ${activation}`,
    () => [
      ...[[9], [1, 9], [7, 9], [7, 1], undefined].map((bias) =>
        tf.fused.matMul({
          a: floats([7, 5], 1),
          b: floats([5, 9], 2),
          activation,
          ...(bias === undefined ? {} : { bias: floats(bias, 3) }),
        }),
      ),
      tf.fused.matMul({
        a: floats([3, 5, 7], 1),
        b: floats([3, 9, 5], 2),
        transposeA: true,
        transposeB: true,
        bias: floats([9], 3),
        activation,
      }),
    ],
    1e-5,
  );
}

onNative('an activation that is not fused is refused by name', () => {
  const run = () => tf.fused.matMul({ a: floats([2, 2]), b: floats([2, 2]), activation: 'elu' });
  assert.throws(run, /elu/);
});
onNative('inner sizes that differ are refused', () => {
  assert.throws(() => tf.matMul(floats([2, 3]), floats([2, 3])), /inner/i);
});
