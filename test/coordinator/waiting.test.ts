import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Waiting } from '../../src/coordinator/waiting.js';

const LONG_MS = 60_000;

test('a wait ends at once when its condition holds already', async () => {
  assert.equal(await new Waiting().until(() => true, LONG_MS), 'met');
});

test('a wait looks again when notified', async () => {
  const waiting = new Waiting();
  let open = false;
  const end = waiting.until(() => open, LONG_MS);
  waiting.notify();
  open = true;
  waiting.notify();
  assert.equal(await end, 'met');
});

test('a wait whose condition never holds ends late', async () => {
  assert.equal(await new Waiting().until(() => false, 1), 'late');
});
