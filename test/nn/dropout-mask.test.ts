/** Dropout masks have the right rate and scale, and follow from their key alone. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { philoxFill } from '../../src/numbers/random/philox-fill.js';
import { philox4x32 } from '../../src/numbers/random/philox.js';
import { simdDropoutKernel } from '../../src/kernels/dropout-kernel.js';
import { dropoutMask, plainDropoutKernel } from '../../src/kernels/dropout-mask.js';

const KEY = { rate: 0.1, seed: 1, step: 2, microBatch: 3 };

test('many words at once are the words of philox4x32', () => {
  for (const [key, path] of [
    [
      [0, 0],
      [0, 0, 0],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff, 0xffffffff],
    ],
    [
      [0xa4093822, 0x299f31d0],
      [0x85a308d3, 0x13198a2e, 0x03707344],
    ],
  ] as const) {
    const words = new Uint32Array(4 * 50);
    philoxFill(key, path, words, 7);
    const expected = new Uint32Array(words.length);
    for (let i = 0; i < 50; i++) philox4x32(key, [7 + i, ...path], expected, 4 * i);
    assert.deepEqual(words, expected);
  }
});

test('an element is dropped when its 16 bits of the stream are below the rate', () => {
  const length = 10_001;
  const mask = dropoutMask(KEY, 4, length);
  const words = new Uint32Array(Math.ceil(length / 8) * 4);
  philoxFill([1, 4], [4, 3, 2], words);
  const dropBelow = Math.round(0.1 * 65536);
  const expected = Float32Array.from({ length }, (_, i) => {
    const word = words[Math.floor(i / 2)]!;
    const half = i % 2 === 0 ? word % 65536 : Math.floor(word / 65536);
    return half < dropBelow ? 0 : 1 / 0.9;
  });
  assert.deepEqual(mask, expected);
});

test('SIMD and plain JavaScript give the same bits for every length', () => {
  const simd = simdDropoutKernel();
  assert.ok(simd !== undefined, 'Node 20 has WebAssembly SIMD');
  for (const length of [0, 1, 7, 31, 32, 33, 4096, 8191, 8192, 8193, 20_000]) {
    for (const [key, path, dropBelow] of [
      [[1, 4], [3, 2, 1], 6554],
      [[0xffffffff, 0xdeadbeef], [0xffffffff, 0x80000000, 0x7fffffff], 65_535],
    ] as const) {
      const expected = new Float32Array(length);
      const actual = new Float32Array(length);
      plainDropoutKernel(key, path, dropBelow, 1.25, expected);
      simd(key, path, dropBelow, 1.25, actual);
      assert.deepEqual(actual, expected);
    }
  }
});

for (const rate of [0.01, 0.1, 0.5, 0.9]) {
  test(`about ${100 * rate} % of the elements are zero, and the mean is kept`, () => {
    const mask = dropoutMask({ ...KEY, rate }, 0, 100_000);
    const zeros = mask.filter((value) => value === 0).length;
    const deviation = Math.sqrt(100_000 * rate * (1 - rate));
    assert.ok(Math.abs(zeros - 100_000 * rate) < 4 * deviation, `${zeros} zeros`);
    assert.ok(mask.every((value) => value === 0 || value === Math.fround(1 / (1 - rate))));
  });
}

test('a longer mask begins with the shorter one', () => {
  assert.deepEqual(dropoutMask(KEY, 0, 9000).subarray(0, 4100), dropoutMask(KEY, 0, 4100));
});

test('seed, step, micro-batch and site each give another mask', () => {
  const masks = [
    dropoutMask(KEY, 0, 500),
    dropoutMask({ ...KEY, seed: 9 }, 0, 500),
    dropoutMask({ ...KEY, step: 9 }, 0, 500),
    dropoutMask({ ...KEY, microBatch: 9 }, 0, 500),
    dropoutMask(KEY, 9, 500),
  ];
  assert.equal(new Set(masks.map((mask) => mask.join())).size, masks.length);
});

test('an empty mask is empty', () => {
  assert.equal(dropoutMask(KEY, 0, 0).length, 0);
});
