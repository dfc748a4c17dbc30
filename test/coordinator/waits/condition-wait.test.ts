import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/host/clock.js';
import { ConditionWait } from '../../../src/coordinator/waits/condition-wait.js';

const LONG_MS = 60_000;

test('a wait ends at once when its condition holds already', async () => {
  assert.equal(await new ConditionWait(systemClock).until(() => true, LONG_MS), 'met');
});

test('a wait looks again when notified', async () => {
  const wait = new ConditionWait(systemClock);
  let open = false;
  const end = wait.until(() => open, LONG_MS);
  wait.notify();
  open = true;
  wait.notify();
  assert.equal(await end, 'met');
});

test('a wait whose condition never holds ends late', async () => {
  assert.equal(await new ConditionWait(systemClock).until(() => false, 1), 'late');
});

test('a wait whose condition throws ends with that, and no other does', async () => {
  const wait = new ConditionWait(systemClock);
  let broken = false;
  const bad = wait.until(() => {
    if (broken) throw new Error('a defect');
    return false;
  }, LONG_MS);
  const good = wait.until(() => broken, LONG_MS);
  const ends = assert.rejects(bad, /a defect/);
  broken = true;
  wait.notify();
  await ends;
  assert.equal(await good, 'met');
  await assert.rejects(
    new ConditionWait(systemClock).until(() => {
      throw new Error('from the start');
    }, LONG_MS),
    /from the start/,
  );
});
