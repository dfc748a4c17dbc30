import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nativeSum } from '../../src/collective/sums/native-sum.js';
import { plainSum, simdSum, type SegmentSum } from '../../src/collective/sums/sum.js';

const LENGTHS = [1, 2, 3, 4, 5, 4095, 4096, 4097, 10_000];

function bytesOf(array: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function wordSum(array: Int32Array | Float32Array): number {
  const words = new Int32Array(array.buffer, array.byteOffset, array.length);
  return Number(words.reduce((sum, word) => sum + BigInt(word >>> 0), 0n) & 0xffffffffn);
}

/** Integers that need all 32 bits; sums wrap the same way everywhere. */
function integers(length: number, factor: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => Math.imul(i + 1, factor));
}

const IMPLEMENTATIONS: [string, SegmentSum | undefined][] = [
  ['WebAssembly', simdSum()],
  ['plain JavaScript', plainSum],
];
const native = nativeSum();
if (native !== undefined) IMPLEMENTATIONS.push(['the native kernel', native]);

for (const [name, sum] of IMPLEMENTATIONS) {
  void test(`${name} adds integers of every length and gives both checksums`, () => {
    assert.ok(sum);
    for (const length of LENGTHS) {
      const incoming = integers(length, 0x9e3779b1);
      const mine = integers(length, 0x85ebca6b);
      const out = new Int32Array(new SharedArrayBuffer(4 * length));
      const checksums = sum.add('exact', bytesOf(incoming), bytesOf(mine), bytesOf(out));
      assert.deepEqual(
        out,
        incoming.map((x, i) => x + mine[i]!),
      );
      assert.deepEqual(checksums, { incoming: wordSum(incoming), result: wordSum(out) });
      assert.deepEqual(mine, integers(length, 0x85ebca6b), 'the own values stay as they were');
    }
  });

  void test(`${name} adds fp32 as Math.fround does`, () => {
    assert.ok(sum);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.float(), fc.float()), { minLength: 1, maxLength: 40 }), (pairs) => {
        const incoming = Float32Array.from(pairs, ([a]) => a);
        const mine = Float32Array.from(pairs, ([, b]) => b);
        const out = new Float32Array(pairs.length);
        sum.add('fp32', bytesOf(incoming), bytesOf(mine), bytesOf(out));
        assert.deepEqual(
          out,
          incoming.map((x, i) => x + mine[i]!),
        );
      }),
    );
  });

  void test(`${name} copies and checks bytes that are not aligned to a word`, () => {
    assert.ok(sum);
    for (const length of LENGTHS) {
      const words = integers(length, 0xc2b2ae35);
      const shifted = new Uint8Array(4 * length + 1).subarray(1);
      shifted.set(bytesOf(words));
      const out = new Int32Array(length);
      assert.equal(sum.copy(shifted, bytesOf(out)), wordSum(words));
      assert.deepEqual(out, words);
      assert.equal(sum.checksum(shifted), wordSum(words));
      const doubled = new Int32Array(length);
      sum.add('exact', shifted, bytesOf(words), bytesOf(doubled));
      assert.deepEqual(
        doubled,
        words.map((x) => 2 * x),
      );
    }
  });
}

void test('a changed bit changes the checksum', () => {
  const words = integers(5000, 0x27d4eb2f);
  const before = plainSum.checksum(bytesOf(words));
  words[4321]! ^= 1 << 7;
  assert.notEqual(plainSum.checksum(bytesOf(words)), before);
});
