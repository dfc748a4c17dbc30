/** Reductions and softmax of the native backend do what tfjs's cpu backend does. */
import assert from 'node:assert/strict';
import { tf } from '../../src/nn/tfjs.js';
import { booleans, floats, integers, onNative, sameAsCpu, SPECIAL } from './plain-comparison.js';

/** Shapes and the axes to reduce: last, first, middle, several, apart from each other, all, none. */
const CASES: [number[], number[] | undefined][] = [
  [[], undefined],
  [[1], [0]],
  [[17], [0]],
  [[600], undefined],
  [[5, 1], [1]],
  [[33, 197], [1]],
  [[33, 197], [0]],
  [[3, 700], [0]],
  [[4, 5, 6], [1]],
  [
    [4, 5, 6],
    [0, 2],
  ],
  [
    [4, 5, 6],
    [2, 1],
  ],
  [
    [2, 3, 4, 5],
    [1, 3],
  ],
  [[2, 3, 4, 5], undefined],
  [[0, 3], [1]],
  [[300, 300], undefined],
];

const REDUCTIONS = { sum: tf.sum, mean: tf.mean, max: tf.max, min: tf.min };

for (const [name, op] of Object.entries(REDUCTIONS)) {
  sameAsCpu(
    `${name} over any axes`,
    () => CASES.flatMap(([shape, axes]) => [op(floats(shape), axes), op(floats(shape), axes, true)]),
    2e-6,
  );
  sameAsCpu(`${name} of whole numbers`, () => CASES.map(([shape, axes]) => op(integers(shape), axes)));
  sameAsCpu(`${name} of NaN and infinities`, () => {
    const x = tf.tensor2d(
      [...SPECIAL, ...SPECIAL.toReversed(), ...SPECIAL.map((_, i) => i)],
      [3, SPECIAL.length],
    );
    return [op(x, 0), op(x, 1), op(tf.tensor1d([1, -Infinity])), op(tf.tensor1d([Infinity, 1]))];
  });
}

sameAsCpu('prod over any axes', () =>
  CASES.filter(([shape]) => tf.util.sizeFromShape(shape) < 1000).flatMap(([shape, axes]) => [
    tf.prod(tf.add(1, tf.mul(floats(shape), 0.1)), axes),
    tf.prod(integers(shape), axes?.slice(0, 1)),
  ]),
);

for (const [name, op] of Object.entries({ all: tf.all, any: tf.any })) {
  sameAsCpu(`${name} over any axes`, () =>
    CASES.flatMap(([shape, axes]) => [
      op(booleans(shape), axes),
      op(tf.less(floats(shape), 9), axes),
      op(tf.greater(floats(shape), 9), axes, true),
    ]),
  );
}

for (const [name, op] of Object.entries({ argMax: tf.argMax, argMin: tf.argMin })) {
  sameAsCpu(`${name} takes the first of equals, along any axis`, () =>
    [0, 1, 2].flatMap((axis) => [
      op(floats([4, 50, 6]), axis),
      op(integers([4, 50, 6]), axis),
      op(tf.zeros([2, 3, 400]), axis),
    ]),
  );
  sameAsCpu(`${name} passes over NaN unless it comes first`, () => [
    op(tf.tensor1d([1, NaN, 3, -3, NaN])),
    op(tf.tensor1d([NaN, 2, 3])),
    op(tf.tensor1d([-Infinity, Infinity])),
  ]);
}

/** Each extreme several times, far apart, and one NaN. */
function longRow(length: number, nanAt: number): tf.Tensor {
  const values = Float32Array.from({ length }, (_, i) => (i * 7919) % 1000);
  for (const at of [nanAt + 1, length - 1]) values[at] = 5000;
  for (const at of [2 * nanAt + 5, length - 2]) values[at] = -5000;
  values[nanAt] = NaN;
  return tf.tensor1d(values);
}
for (const [name, op] of Object.entries({ argMax: tf.argMax, argMin: tf.argMin, max: tf.max, min: tf.min })) {
  sameAsCpu(`${name} of long rows and columns`, () => {
    const x = tf.stack([0, 7000, 14_000].map((nanAt) => longRow(30_001, nanAt)));
    return [op(x, 1), op(tf.transpose(x), 0), op(tf.cast(tf.maximum(x, -9), 'int32'), 1)];
  });
}
sameAsCpu(
  'products, and what all and any find, of long rows and columns',
  () => {
    const x = tf.sub(1, tf.div(floats([2, 20_000]), 1e4));
    const hit = tf.equal(x, tf.max(x, 1, true));
    return [x, tf.transpose(x)]
      .flatMap((y, i) => [tf.prod(y, 1 - i)])
      .concat([tf.any(hit, 1), tf.all(hit, 1), tf.all(tf.logicalNot(hit), 1), tf.any(tf.less(x, -9), 1)]);
  },
  1e-4,
);

sameAsCpu('booleans are counted', () => [tf.sum(booleans([40, 30])), tf.mean(booleans([40, 30]), 0)]);
sameAsCpu('nothing sums to 0 and multiplies to 1', () => [
  tf.sum(tf.zeros([3, 0]), 1),
  tf.prod(tf.zeros([3, 0]), 1),
  tf.sum(tf.zeros([0, 3]), 0),
]);
onNative('nothing has no mean', () => {
  assert.deepEqual([...tf.mean(tf.zeros([2, 0]), 1).dataSync()], [NaN, NaN]);
});

onNative('long sums keep the accuracy of single precision', () => {
  const x = floats([3, 100_003]);
  const values = x.dataSync<'float32'>();
  for (const sum of [tf.sum(x, 1), tf.sum(tf.transpose(x), 0)]) {
    for (let row = 0; row < 3; row++) {
      const part = values.subarray(row * 100_003, (row + 1) * 100_003);
      const exact = part.reduce((total, value) => total + value, 0);
      const size = part.reduce((total, value) => total + Math.abs(value), 0);
      assert.ok(Math.abs(sum.dataSync()[row]! - exact) < 2e-7 * size);
    }
  }
});

const WIDTHS = [1, 2, 3, 15, 16, 17, 33, 64, 197, 1000, 5000];

sameAsCpu('softmax of rows of any width', () =>
  WIDTHS.map((width) => tf.softmax(tf.mul(floats([3, width]), 5))),
);
sameAsCpu('softmax of more dimensions, and of none', () => [
  tf.softmax(floats([2, 3, 4, 5])),
  tf.softmax(floats([7])),
  tf.softmax(tf.zeros([0, 5])),
  tf.softmax(tf.zeros([5, 0])),
]);
sameAsCpu('softmax of huge and of infinite logits', () =>
  tf.softmax(
    tf.tensor2d([1e30, -1e30, 0, -Infinity, 1, 2, NaN, 1, 2, -Infinity, -Infinity, -Infinity], [4, 3]),
  ),
);
sameAsCpu('logSoftmax of rows of any width', () =>
  WIDTHS.map((width) => tf.logSoftmax(tf.mul(floats([3, width]), 5))),
);

onNative('the logarithm of softmax has a kernel of its own', () => {
  for (const width of WIDTHS) {
    const logits = tf.mul(floats([3, width]), 5);
    const [y] = [tf.engine().runKernel(tf.LogSoftmax, { logits }, { axis: -1 })].flat() as [tf.Tensor];
    const error = tf.max(tf.abs(tf.sub(y, tf.logSoftmax(logits)))).dataSync()[0]!;
    assert.ok(error < 5e-6, `${width}: ${error}`);
  }
});

onNative('softmax over another axis is refused', () => {
  const run = () => tf.engine().runKernel(tf.Softmax, { logits: tf.zeros([2, 3]) }, { dim: 0 });
  assert.throws(run, /last axis/);
});
