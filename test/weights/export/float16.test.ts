/** Halves are the nearest to their float32. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toFloat16 } from '../../../src/weights/export/float16.js';

/** The value of 16 bits, by the definition of the format. */
function valueOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

test('every half stays as it is', () => {
  for (let bits = 0; bits < 65536; bits++) {
    const value = valueOf(bits);
    if (Number.isNaN(value)) assert.ok(Number.isNaN(valueOf(toFloat16(value))));
    else assert.equal(toFloat16(value), bits);
  }
});

test('a value between two halves becomes the nearer one, and the even one in the middle', () => {
  for (let bits = 0; bits < 0x7bff; bits++) {
    const [low, high] = [valueOf(bits), valueOf(bits + 1)];
    const middle = (low + high) / 2;
    assert.equal(toFloat16(middle), bits + (bits & 1), `${middle}`);
    assert.equal(toFloat16(-middle), 0x8000 + bits + (bits & 1));
    assert.equal(toFloat16(Math.fround(low + 0.49 * (high - low))), bits);
    assert.equal(toFloat16(Math.fround(low + 0.51 * (high - low))), bits + 1);
  }
});

test('what is too large becomes infinite', () => {
  assert.deepEqual([65519, 65520, 1e30, -1e30].map(toFloat16), [0x7bff, 0x7c00, 0x7c00, 0xfc00]);
});
