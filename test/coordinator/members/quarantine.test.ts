import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Quarantine } from '../../../src/coordinator/members/quarantine.js';

test('a worker stays out for a while, twice as long each time, and never for ever', () => {
  const quarantine = new Quarantine();
  assert.equal(quarantine.holds('a', 0), false);
  assert.equal(quarantine.begin('a', 1000), 30_000);
  assert.equal(quarantine.holds('a', 30_999), true);
  assert.equal(quarantine.holds('a', 31_000), false);
  assert.equal(quarantine.holds('b', 1000), false);
  assert.equal(quarantine.begin('a', 40_000), 60_000);
  for (let i = 0; i < 20; i++) assert.ok(quarantine.begin('a', 0) <= 900_000);
});
