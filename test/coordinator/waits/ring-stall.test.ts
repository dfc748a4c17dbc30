import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit, beaten, type Member } from '../../../src/coordinator/members/membership.js';
import { leftOut, ringStallCheck } from '../../../src/coordinator/waits/ring-stall.js';
import { Phase } from '../../../src/wire/codec.js';
import { BEAT, HELLO } from '../cluster-peer.js';

const ROUND = { step: 1, generation: 4, ring: [0, 1, 2] };
const STALL_MS = 1000;

/** Three workers, each with a heartbeat at time 0. */
function members(...messages: number[]): readonly Member[] {
  let all: readonly Member[] = [];
  for (const [i, received] of messages.entries()) {
    all = admit(all, i, `${i}`, HELLO, 0).members;
    const beat = { ...BEAT, generation: 4, phase: Phase.PHASE_ALL_REDUCE, messages: received };
    all = beaten(all, `${i}`, beat, 0);
  }
  return all;
}

test('a ring in which all are and nothing moves has stalled; its members are excused, others are not', () => {
  let nowMs = 5000;
  let present = members(3, 1, 2);
  const times = { stallMs: STALL_MS, plannedMs: nowMs, now: () => nowMs };
  const stallCheck = ringStallCheck(ROUND, () => present, times)!;
  // Their heartbeats are older; what counts is the time since the plan.
  assert.equal(stallCheck.found(), false);
  nowMs += STALL_MS + 1;
  assert.equal(stallCheck.found(), true);
  assert.ok(present.every((member) => stallCheck.excuses(member)));
  present = beaten(present, '0', { ...BEAT, phase: Phase.PHASE_COMPUTE }, 1);
  assert.equal(stallCheck.found(), false);
  assert.deepEqual(present.map(stallCheck.excuses), [false, true, true]);
});

test('a worker alone in its ring waits for no other, so there is no stall check', () => {
  assert.equal(
    ringStallCheck({ step: 1, ring: [0] }, () => members(0), {
      stallMs: STALL_MS,
      plannedMs: 0,
      now: () => 0,
    }),
    undefined,
  );
});

test('the third stall leaves out the worker that got least, and too many end the run', () => {
  const present = [...members(3, 1, 2), ...members(0, 0, 0, 0).slice(3)];
  const left = (stalls: number) => leftOut(ROUND, present, stalls, STALL_MS);
  assert.deepEqual([left(1), left(2), left(3), left(20)], [null, null, 1, 1]);
  assert.throws(() => left(21), { code: 'RING_TIMEOUT' });
  assert.equal(leftOut(ROUND, [], 3, STALL_MS), null);
});
