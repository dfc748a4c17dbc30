import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portableExp } from '../../src/numbers/random/portable-exp.js';

test('it is the exponential function to 15 digits', () => {
  for (let x = -20; x <= 20; x += 0.0137) {
    assert.ok(Math.abs(portableExp(x) / Math.exp(x) - 1) < 2e-15 * (1 + Math.abs(x)), `x = ${x}`);
  }
});

test('exact at 0, and as far as doubles go', () => {
  assert.equal(portableExp(0), 1);
  assert.ok(Math.abs(portableExp(700) / Math.exp(700) - 1) < 1e-12);
  assert.ok(Math.abs(portableExp(-700) / Math.exp(-700) - 1) < 1e-12);
});

test('its bits have not changed since version 0.1.0', () => {
  const bits = (x: number): string => Buffer.from(Float64Array.of(x).buffer).toString('hex');
  assert.equal(bits(portableExp(0.28768207245178096)), '565555555555f53f');
  assert.equal(bits(portableExp(-0.1)), '3a2bd5996df4ec3f');
});
