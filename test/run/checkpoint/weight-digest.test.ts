/** The published digest: SHA-256 over little-endian float32 in layout order. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fromLittleEndian, littleEndianBytes } from '../../../src/run/checkpoint/little-endian.js';
import { weightDigest } from '../../../src/run/checkpoint/weight-digest.js';

test('the digest is of the bytes a DataView writes, and was compared with Python once', () => {
  const values = [0, -0, 1, -2.5, 3.4028234663852886e38, 1e-45, Infinity, -Infinity];
  const bytes = new DataView(new ArrayBuffer(values.length * 4));
  for (const [i, value] of values.entries()) bytes.setFloat32(4 * i, value, true);
  const expected = createHash('sha256').update(new Uint8Array(bytes.buffer)).digest('hex');
  assert.equal(weightDigest(Float32Array.from(values)), expected);
  assert.equal(expected, '5112a2caddcb871869b0c0dac8eb0f80124b6842d4b91d5565bd921fc2183ff5');
});

test('a view on shared memory has the digest of its values alone', () => {
  const memory = new Float32Array(new SharedArrayBuffer(40)).fill(9);
  const view = memory.subarray(2, 5);
  view.set([1, 2, 3]);
  assert.equal(weightDigest(view), weightDigest(Float32Array.of(1, 2, 3)));
});

test('one changed bit, and the sign of zero, change the digest', () => {
  const base = weightDigest(Float32Array.of(1, 0));
  assert.notEqual(weightDigest(Float32Array.of(1 + 2 ** -23, 0)), base);
  assert.notEqual(weightDigest(Float32Array.of(1, -0)), base);
});

test('no weights have the digest of nothing, and pieces do not show', () => {
  assert.equal(weightDigest(new Float32Array(0)), createHash('sha256').digest('hex'));
  const large = new Float32Array(2 ** 24 + 3).fill(1);
  const whole = createHash('sha256').update(new Uint8Array(large.buffer)).digest('hex');
  assert.equal(weightDigest(large), whole);
});

test('a big-endian machine swaps on the way out and in', () => {
  const values = Float32Array.of(1.5, -3);
  const swapped = littleEndianBytes(values, false);
  assert.deepEqual(
    [...swapped],
    [...littleEndianBytes(values)].map((_, i, all) => all[(i & ~3) + 3 - (i & 3)]),
  );
  assert.deepEqual([...values], [1.5, -3]);
  const foreign = new Float32Array(Uint8Array.from(swapped).buffer);
  fromLittleEndian(foreign, false);
  assert.deepEqual([...foreign], [1.5, -3]);
  fromLittleEndian(foreign, true);
  assert.deepEqual([...foreign], [1.5, -3]);
});
