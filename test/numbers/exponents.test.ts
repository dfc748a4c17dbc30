import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  exceedsRange,
  exponentScale,
  MAX_EXPONENT,
  MAX_MICRO_BATCHES,
  MIN_EXPONENT,
  repeatExponents,
  stepExponents,
  sumLimit,
  updateAmaxHistory,
} from '../../src/numbers/exact/exponents.js';

const LARGEST = 3.4028234663852886e38;
const maximum = fc.float({ min: 0, max: Math.fround(LARGEST), noNaN: true });
const microBatches = fc.oneof(
  fc.integer({ min: 1, max: 64 }),
  fc.constantFrom(4096, 4097, MAX_MICRO_BATCHES),
);

void test('a step exponent fits, and the next larger one does not', () => {
  fc.assert(
    fc.property(maximum, microBatches, fc.integer({ min: 0, max: 4 }), (max, count, headroomBits) => {
      const [e] = stepExponents(Float32Array.of(max), count, headroomBits);
      const bound = (exponent: number) => count * max * 2 ** headroomBits * 2 ** exponent;
      assert.ok(bound(e!) <= 2 ** 31 - 1 - count);
      if (e! < MAX_EXPONENT) assert.ok(bound(e! + 1) > 2 ** 31 - 1 - count);
    }),
    { numRuns: 2000 },
  );
});

void test('known exponents', () => {
  const of = (max: number, count: number, headroomBits?: number) =>
    stepExponents(Float32Array.of(max), count, headroomBits)[0];
  assert.equal(of(1, 1, 0), 30); // 2^30 <= 2^31 - 2 < 2^31
  assert.equal(of(1, 1), 28); // two bits of headroom
  assert.equal(of(1, 16), 24);
  assert.equal(of(0.75, 1, 0), 31); // 3 x 2^29 fits
  assert.equal(of(2 ** -10, 256, 0), 32);
  assert.equal(of(1e-45, 16), MAX_EXPONENT);
  assert.equal(of(0, 16), MAX_EXPONENT);
  assert.ok(of(LARGEST, MAX_MICRO_BATCHES, 4)! > MIN_EXPONENT);
});

void test('a step repeated with its own maxima does not exceed its range', () => {
  fc.assert(
    fc.property(fc.array(maximum, { maxLength: 5 }), microBatches, (list, count) => {
      const maxima = Float32Array.from(list);
      assert.equal(exceedsRange(maxima, repeatExponents(maxima, count), count), false);
    }),
  );
});

void test('a maximum beyond the headroom exceeds the range, one within does not', () => {
  const exponents = stepExponents(Float32Array.of(1, 1), 16);
  assert.equal(exceedsRange(Float32Array.of(3.9, 0), exponents, 16), false);
  assert.equal(exceedsRange(Float32Array.of(0, 16), exponents, 16), true);
  assert.equal(exceedsRange(Float32Array.of(0, Infinity), exponents, 16), true);
  assert.equal(exceedsRange(Float32Array.of(NaN, 0), exponents, 16), true);
  assert.equal(exceedsRange(new Float32Array(0), new Int32Array(0), 16), false);
});

void test('a scale is exactly a power of two and comes back by its inverse', () => {
  for (let e = -1022; e <= 1022; e++) assert.equal(exponentScale(e), 2 ** e);
  fc.assert(
    fc.property(maximum, fc.integer({ min: MIN_EXPONENT, max: MAX_EXPONENT }), (value, e) => {
      assert.equal(value * exponentScale(e) * exponentScale(-e), value);
    }),
  );
});

void test('the amax history rises at once and decays slowly', () => {
  const history = updateAmaxHistory(Float32Array.of(1, 1, 0), Float32Array.of(4, 0.25, 0), 0.875);
  assert.deepEqual(history, Float32Array.of(4, 0.875, 0));
  const odd = updateAmaxHistory(Float32Array.of(0.1), Float32Array.of(0), 0.9);
  assert.equal(odd[0], Math.fround(0.9 * Math.fround(0.1)));
});

void test('what has no meaning is refused with its value', () => {
  assert.throws(() => stepExponents(Float32Array.of(NaN), 4), /maximum of \|g\| is NaN/);
  assert.throws(() => stepExponents(Float32Array.of(Infinity), 4), /is Infinity/);
  assert.throws(() => stepExponents(Float32Array.of(-1), 4), /is -1/);
  assert.throws(() => stepExponents(Float32Array.of(1), 0), /^RangeError: 0 micro-batches/);
  assert.throws(() => sumLimit(MAX_MICRO_BATCHES + 1), /1048577 micro-batches/);
  assert.throws(() => sumLimit(1.5), /1.5 micro-batches/);
  assert.throws(() => exponentScale(0.5), /2\^0.5/);
  assert.throws(() => exponentScale(1024), /2\^1024/);
  assert.throws(() => exceedsRange(new Float32Array(2), new Int32Array(1), 4), /2 maxima for 1 exponents/);
  assert.throws(
    () => updateAmaxHistory(new Float32Array(1), new Float32Array(2), 0.9),
    /2 maxima for an amax history of 1/,
  );
});
