/** Elementwise tfjs kernels of the native backend do what tfjs's cpu backend does. */
import assert from 'node:assert/strict';
import { tf } from '../../src/nn/tfjs.js';
import { booleans, floats, integers, onNative, sameAsCpu, SPECIAL } from './plain-comparison.js';

/** Sizes: nothing, one, parts of vectors, more than one chunk of a thread. */
const SIZES = [0, 1, 3, 7, 8, 15, 16, 17, 33, 40000];

const UNARY = {
  neg: tf.neg,
  abs: tf.abs,
  exp: tf.exp,
  log: tf.log,
  sqrt: tf.sqrt,
  rsqrt: tf.rsqrt,
  square: tf.square,
  reciprocal: tf.reciprocal,
  tanh: tf.tanh,
  sigmoid: tf.sigmoid,
  erf: tf.erf,
  relu: tf.relu,
  step: tf.step,
  sign: tf.sign,
  isNaN: tf.isNaN,
  floor: tf.floor,
  ceil: tf.ceil,
  round: tf.round,
  zerosLike: tf.zerosLike,
  onesLike: tf.onesLike,
};

for (const [name, op] of Object.entries(UNARY)) {
  sameAsCpu(
    `${name} of any number of elements`,
    () => SIZES.map((size) => op(tf.mul(floats([size]), 3))),
    2e-6,
  );
  sameAsCpu(`${name} of NaN, infinities and zeros`, () => op(tf.tensor1d(SPECIAL)), 2e-6);
}

for (const op of [tf.neg, tf.abs, tf.square, tf.sign, tf.relu, tf.step, tf.zerosLike, tf.onesLike]) {
  sameAsCpu(`${op.name} of whole numbers`, () => op(integers([3, 7])));
}

sameAsCpu('a step below 0 can be another number', () => tf.step(tf.tensor1d(SPECIAL), 0.25));
sameAsCpu('values are clipped', () => [
  tf.clipByValue(floats([50]), -0.5, 0.7),
  tf.clipByValue(tf.tensor1d(SPECIAL), -1, 1),
  tf.clipByValue(integers([50]), -3, 4),
]);
sameAsCpu('fill and logicalNot', () => [
  tf.fill([2, 3], 1.5),
  tf.fill([5], 7, 'int32'),
  tf.fill([0, 2], 1),
  tf.logicalNot(booleans([9])),
]);

const BINARY = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  maximum: tf.maximum,
  minimum: tf.minimum,
  squaredDifference: tf.squaredDifference,
  equal: tf.equal,
  notEqual: tf.notEqual,
  less: tf.less,
  lessEqual: tf.lessEqual,
  greater: tf.greater,
  greaterEqual: tf.greaterEqual,
  mod: tf.mod,
};
const FLOAT_ONLY = { div: tf.div, pow: tf.pow };

/** Shapes of both operands: equal, repeated on either side, inside, and several at once. */
const PAIRS: [number[], number[]][] = [
  ...([
    [[], []],
    [[0], [0]],
    [[0, 3], [3]],
    [[5], []],
    [[], [5]],
    [[17], [17]],
    [[40001], [40001]],
  ] as const),
  ...([
    [[7, 33], [33]],
    [[33], [7, 33]],
    [
      [7, 33],
      [7, 1],
    ],
    [
      [7, 1],
      [1, 33],
    ],
    [
      [2, 3, 5],
      [2, 1, 5],
    ],
  ] as const),
  ...([
    [
      [2, 1, 4, 1, 3],
      [5, 1, 6, 1],
    ],
    [
      [300, 70],
      [300, 1],
    ],
    [
      [1, 70],
      [300, 70],
    ],
    [[1, 1], [1]],
  ] as const),
].map(([a, b]) => [[...a], [...b]]);

for (const [name, op] of Object.entries({ ...BINARY, ...FLOAT_ONLY })) {
  sameAsCpu(`${name} of all shapes that fit`, () =>
    PAIRS.map(([a, b]) => op(name === 'pow' ? tf.abs(floats(a, 1)) : floats(a, 1), floats(b, 2))),
  );
  sameAsCpu(`${name} of every pair of special numbers`, () =>
    op(tf.tensor2d(SPECIAL, [SPECIAL.length, 1]), tf.tensor1d(SPECIAL)),
  );
}
for (const [name, op] of Object.entries({ ...BINARY, floorDiv: tf.floorDiv })) {
  sameAsCpu(`${name} of whole numbers, zero included`, () =>
    PAIRS.map(([a, b]) => op(integers(a, 1), integers(b, 2))),
  );
}
sameAsCpu('floorDiv of floats gives whole numbers', () => tf.floorDiv(floats([40], 1), floats([40], 2)));
sameAsCpu('whole numbers overflow modulo 2^32', () => {
  const edge = tf.tensor1d([2 ** 31 - 1, -(2 ** 31), 65537], 'int32');
  return [
    tf.add(edge, edge),
    tf.sub(edge, tf.scalar(5, 'int32')),
    tf.neg(edge),
    tf.floorDiv(edge, tf.scalar(-1, 'int32')),
  ];
});
sameAsCpu('powers of whole numbers', () =>
  tf.pow(tf.tensor2d([-3, -1, 0, 1, 2], [5, 1], 'int32'), tf.tensor1d([0, 1, 2, 5, 9], 'int32')),
);
sameAsCpu('powers of negative numbers and of a wide range', () => [
  tf.pow(tf.tensor2d([-2, -1.5, -0.25, 0.001, 900], [5, 1]), tf.tensor1d([-3, -2, -0.5, 0, 1, 2, 3, 12.5])),
]);
sameAsCpu('floats and whole numbers are mixed', () => [
  tf.add(floats([2, 5]), integers([5])),
  tf.mul(integers([2, 5]), 0.5),
  tf.less(integers([9]), floats([9])),
]);
sameAsCpu('logic, and comparisons of booleans', () => [
  tf.logicalAnd(booleans([3, 5], 1), booleans([5], 2)),
  tf.logicalOr(booleans([3, 5], 1), booleans([3, 5], 2)),
  tf.equal(booleans([20], 1), booleans([20], 2)),
  tf.logicalXor(booleans([20], 1), booleans([20], 2)),
]);
sameAsCpu('sums of one, two and five tensors', () => [
  tf.addN([floats([9], 1)]),
  tf.addN([floats([9], 1), floats([9], 2)]),
  tf.addN([1, 2, 3, 4, 5].map((seed) => integers([2, 3], seed))),
]);

sameAsCpu('casts cut off, wrap around and ask for zero', () => {
  const edge = tf.tensor1d([
    ...SPECIAL,
    2.9,
    -2.9,
    2147483647,
    2147483648,
    -2147483649,
    4294967301,
    1e12,
    -1e12,
  ]);
  return [
    tf.cast(edge, 'int32'),
    tf.cast(edge, 'bool'),
    tf.cast(integers([9]), 'float32'),
    tf.cast(integers([9]), 'bool'),
    tf.cast(booleans([9]), 'float32'),
    tf.cast(booleans([9]), 'int32'),
    tf.cast(floats([40000]), 'int32'),
    tf.cast(floats([0]), 'bool'),
  ];
});

/** A function of JavaScript, or a series where that has none. */
function reference(name: string): (x: number) => number {
  if (name === 'sigmoid') return (x) => 1 / (1 + Math.exp(-x));
  if (name !== 'erf') return (x) => Math[name as 'exp' | 'log' | 'tanh'](x);
  return (x) => {
    let [term, sum] = [x, x];
    for (let n = 1; n < 200; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  };
}

for (const [name, op, lowest, highest] of [
  ['exp', tf.exp, -87, 88],
  ['log', tf.log, 1e-3, 20],
  ['tanh', tf.tanh, -10, 10],
  ['sigmoid', tf.sigmoid, -80, 80],
  ['erf', tf.erf, -4, 4],
] as const) {
  onNative(`${name} has a relative error below 4e-7, near its zero as well`, () => {
    const wide = Float32Array.from({ length: 20001 }, (_, i) => lowest + ((highest - lowest) * i) / 20000);
    const centre = name === 'log' ? 1 : 0;
    const near = Float32Array.from(
      { length: 2000 },
      (_, i) => centre + (i % 2 ? 1 : -1) * 2 ** (-1 - i / 90),
    );
    for (const x of [wide, near]) {
      const y = op(tf.tensor1d(x)).dataSync();
      for (let i = 0; i < x.length; i++) {
        const exact = reference(name)(x[i]!);
        const error = Math.abs(y[i]! - exact) / Math.abs(exact);
        assert.ok(exact === 0 ? y[i] === 0 : error < 4e-7, `${name}(${x[i]}) is ${y[i]}, not ${exact}`);
      }
    }
  });
}

onNative('the logarithm of a subnormal number is right', () => {
  const x = Float32Array.of(1e-45, 1e-40, 1.1e-38, 3.4e38);
  const y = tf.log(tf.tensor1d(x)).dataSync();
  x.forEach((value, i) => assert.ok(Math.abs(y[i]! - Math.log(value)) < 1e-5, `ln ${value}`));
});

onNative('operands that do not fit each other are refused', () => {
  assert.throws(() => tf.add(tf.zeros([2, 3]), tf.zeros([2])), /could not be broadcast/);
});
