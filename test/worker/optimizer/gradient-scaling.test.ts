/** Scaling the reduced sum back: exact values, the norm, and what is not finite. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ParameterLayout } from '../../../src/run/model/parameter-layout.js';
import { clipFactor, powerOfTwo } from '../../../src/worker/optimizer/gradient-scaling.js';
import { scaleExactGradient, scaleFloatGradient } from './scaled.js';

function layoutOf(...lengths: number[]): ParameterLayout {
  let offset = 0;
  const slots = lengths.map((length, i) => {
    const slot = { name: `p${i}`, shape: [length], kind: 'kernel' as const, offset, length };
    offset += length;
    return slot;
  });
  return { slots, length: offset };
}

for (const length of [1, 3, 4, 5, 8, 103]) {
  test(`${length} elements a slot: g = q x 2^-e / samples, rounded once, and the norm of it`, () => {
    const layout = layoutOf(length, length);
    const exponents = [20, -3];
    const q = Int32Array.from({ length: 2 * length }, (_, i) => ((i * 2654435761) % 2 ** 32) - 2 ** 31);
    const out = new Float32Array(q.length);
    const { norm, notFinite } = scaleExactGradient(q, exponents, 48, layout, out);
    const expected = Float32Array.from(q, (value, i) => (i < length ? value / 2 ** 20 : value * 8) / 48);
    for (const [i, g] of expected.entries()) {
      // The quotient by 48 is one double rounding off a product with its inverse: at most one float32 place.
      assert.ok(Math.abs(out[i]! - g) <= 2 ** -23 * Math.abs(g));
    }
    const reference = Math.hypot(...out);
    assert.ok(Math.abs(norm - reference) <= 1e-13 * reference);
    assert.equal(notFinite, null);
  });
}

test('sample counts that are powers of two lose nothing', () => {
  const layout = layoutOf(6);
  const q = Int32Array.from([0, 1, -1, 2 ** 24, -(2 ** 24), 3]);
  const out = new Float32Array(6);
  const { norm } = scaleExactGradient(q, [10], 4, layout, out);
  assert.deepEqual(
    [...out],
    [...q].map((value) => value / 4096),
  );
  assert.equal(norm, Math.sqrt(2 * 2 ** 48 + 11) / 4096);
});

test('the gradient may lie on the memory of the sums', () => {
  const layout = layoutOf(5, 2);
  const values = [1, -2, 3, 4, 5, 6, -7];
  const memory = new SharedArrayBuffer(28);
  const q = new Int32Array(memory);
  q.set(values);
  const out = new Float32Array(memory);
  const { norm } = scaleExactGradient(q, [1, 2], 1, layout, out);
  assert.deepEqual([...out], [0.5, -1, 1.5, 2, 2.5, 1.5, -1.75]);
  assert.ok(norm > 0);
  const sums = Float32Array.from(values);
  scaleFloatGradient(sums, 2, layout, sums);
  assert.deepEqual([...sums], [0.5, -1, 1.5, 2, 2.5, 3, -3.5]);
});

test('plain sums name the first parameter that is not finite', () => {
  const layout = layoutOf(5, 6, 5);
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const at of [5, 8, 10]) {
      const sums = new Float32Array(16).fill(1);
      sums[at] = bad;
      sums[15] = bad;
      const { norm, notFinite } = scaleFloatGradient(sums, 2, layout, new Float32Array(16));
      assert.equal(notFinite, 'p1');
      assert.ok(!Number.isFinite(norm));
    }
  }
});

test('the largest float32 values are finite, and so is their norm', () => {
  const largest = 3.4028234663852886e38;
  const { norm, notFinite } = scaleFloatGradient(
    new Float32Array(8).fill(largest),
    1,
    layoutOf(8),
    new Float32Array(8),
  );
  assert.equal(notFinite, null);
  assert.ok(Math.abs(norm / (Math.sqrt(8) * largest) - 1) < 1e-15);
});

test('an exact sum that leaves float32 when scaled back is reported', () => {
  const q = Int32Array.from([1, 2 ** 30]);
  const result = scaleExactGradient(q, [-120], 1, layoutOf(2), new Float32Array(2));
  assert.equal(result.notFinite, 'p0');
});

test('arrays of another length than the layout are refused', () => {
  const layout = layoutOf(3);
  const three = new Float32Array(3);
  assert.throws(
    () => scaleFloatGradient(new Float32Array(2), 1, layout, three),
    /gradient of 2 to 3 elements/,
  );
  assert.throws(() => scaleExactGradient(new Int32Array(3), [0], 1, layout, new Float32Array(4)), /INTERNAL/);
});

test('powers of two are exact over the range of a double', () => {
  for (let n = -1074; n <= 1023; n++) assert.equal(powerOfTwo(n), 2 ** n);
  assert.equal(powerOfTwo(-1074), Number.MIN_VALUE);
  assert.equal(powerOfTwo(1024), Infinity);
});

test('the clip factor is min(1, max / norm), and 1 without a maximum', () => {
  assert.equal(clipFactor(4, 1), 0.25);
  assert.equal(clipFactor(0.5, 1), 1);
  assert.equal(clipFactor(1, 1), 1);
  assert.equal(clipFactor(0, 1), 1);
  assert.equal(clipFactor(1e9, 0), 1);
});
