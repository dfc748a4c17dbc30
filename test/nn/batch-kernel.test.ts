/** Our products of many small matrices are right for every shape, whole tiles or not. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { KeyedRandom, PURPOSE } from '../../src/numbers/random/keyed-random.js';
import { batchKernel } from '../../src/nn/backend/batch-kernel.js';
import { relativeError } from './relative-error.js';

function values(length: number, stream: number): Float32Array {
  const random = new KeyedRandom(2, PURPOSE.demo, stream);
  return Float32Array.from({ length }, () => random.normal());
}

function product(a: Float32Array, b: Float32Array, count: number, m: number, k: number, n: number) {
  const c = new Float64Array(count * m * n);
  for (let i = 0; i < c.length; i++) {
    const matrix = Math.floor(i / (m * n));
    const row = Math.floor((i % (m * n)) / n);
    for (let p = 0; p < k; p++) {
      c[i] = c[i]! + a[(matrix * m + row) * k + p]! * b[(matrix * k + p) * n + (i % n)]!;
    }
  }
  return c;
}

const SIZES_M = [4, 5, 8, 17, 65];
const SIZES_N = [8, 9, 15, 16, 17, 65];

for (const k of [1, 3, 32]) {
  test(`products over ${k} terms are right for all rows and columns`, () => {
    for (const m of SIZES_M) {
      for (const n of SIZES_N) {
        const [a, b] = [values(3 * m * k, 0), values(3 * k * n, 1)];
        const c = new Float32Array(3 * m * n).fill(NaN);
        batchKernel({ m, k, n })!(a, b, c);
        assert.ok(relativeError(c, product(a, b, 3, m, k, n)) < 1e-6, `${m} x ${k} x ${n}`);
      }
    }
  });
}

for (const count of [0, 1, 2, 300]) {
  test(`${count} matrices are multiplied, in pieces where they do not fit`, () => {
    const [m, k, n] = [9, 20, 11];
    const [a, b] = [values(count * m * k, 0), values(count * k * n, 1)];
    const c = new Float32Array(count * m * n).fill(NaN);
    batchKernel({ m, k, n })!(a, b, c);
    const expected = product(a, b, count, m, k, n);
    assert.ok(count === 0 || relativeError(c, expected) < 1e-6);
    assert.ok(!c.includes(NaN));
  });
}

test('a matrix larger than the scratch memory planned for is multiplied', () => {
  const [m, k, n] = [150, 40, 400];
  const [a, b] = [values(2 * m * k, 0), values(2 * k * n, 1)];
  const c = new Float32Array(2 * m * n);
  batchKernel({ m, k, n })!(a, b, c);
  assert.ok(relativeError(c, product(a, b, 2, m, k, n)) < 1e-6);
});

test('the same kernel gives the same bits again, wherever the matrix lies in the batch', () => {
  const [m, k, n] = [7, 12, 10];
  const kernel = batchKernel({ m, k, n })!;
  const [a, b] = [values(m * k, 0), values(k * n, 1)];
  const one = new Float32Array(m * n);
  kernel(a, b, one);
  const five = new Float32Array(5 * m * n);
  const repeat = (matrix: Float32Array) =>
    Float32Array.from({ length: 5 * matrix.length }, (_, i) => matrix[i % matrix.length]!);
  kernel(repeat(a), repeat(b), five);
  assert.deepEqual(five, repeat(one));
});

test('infinities and NaN are carried as arithmetic does', () => {
  const a = new Float32Array(4 * 1).fill(1);
  const b = Float32Array.of(Infinity, -Infinity, NaN, 0, 1, 2, 3, 4);
  const c = new Float32Array(4 * 8);
  batchKernel({ m: 4, k: 1, n: 8 })!(a, b, c);
  assert.deepEqual([...c.subarray(24)], [Infinity, -Infinity, NaN, 0, 1, 2, 3, 4]);
});

for (const shape of [
  { m: 3, k: 8, n: 8 },
  { m: 4, k: 8, n: 7 },
  { m: 4, k: 0, n: 8 },
]) {
  test(`${shape.m} x ${shape.k} x ${shape.n} is smaller than a tile: there is no kernel`, () => {
    assert.equal(batchKernel(shape), undefined);
  });
}
