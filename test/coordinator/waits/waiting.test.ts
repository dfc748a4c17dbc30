import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Waiting } from '../../../src/coordinator/waits/waiting.js';

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

test('a wait whose condition throws ends with that, and no other does', async () => {
  const waiting = new Waiting();
  let broken = false;
  const bad = waiting.until(() => {
    if (broken) throw new Error('a defect');
    return false;
  }, LONG_MS);
  const good = waiting.until(() => broken, LONG_MS);
  const ends = assert.rejects(bad, /a defect/);
  broken = true;
  waiting.notify();
  await ends;
  assert.equal(await good, 'met');
  await assert.rejects(
    new Waiting().until(() => {
      throw new Error('from the start');
    }, LONG_MS),
    /from the start/,
  );
});
