import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConditionWait } from '../../../src/coordinator/waits/condition-wait.js';
import { DrivenTime } from '../../simulation/driven-time.js';

const LONG_MS = 60_000;

test('a wait ends at once if its condition holds already', async () => {
  assert.equal(await new ConditionWait(new DrivenTime().clock).until(() => true, LONG_MS), 'met');
});

test('a wait looks again when notified', async () => {
  const wait = new ConditionWait(new DrivenTime().clock);
  let open = false;
  const end = wait.until(() => open, LONG_MS);
  wait.notify();
  open = true;
  wait.notify();
  assert.equal(await end, 'met');
});

test('a wait whose condition never holds ends late, at its time limit', async () => {
  const time = new DrivenTime();
  assert.equal(await time.during(new ConditionWait(time.clock).until(() => false, LONG_MS)), 'late');
  assert.equal(time.nowMs, LONG_MS);
});

test('a wait whose condition throws ends with that, and no other does', async () => {
  const wait = new ConditionWait(new DrivenTime().clock);
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
    new ConditionWait(new DrivenTime().clock).until(() => {
      throw new Error('from the start');
    }, LONG_MS),
    /from the start/,
  );
});
