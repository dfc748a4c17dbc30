import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  admissionError,
  admit,
  applied,
  beaten,
  committed,
  findSilent,
  heard,
  holders,
  leastReached,
  madeReady,
  memberOf,
  ringStalled,
  without,
  type Member,
} from '../../../src/coordinator/members/membership.js';
import { Phase } from '../../../src/wire/codec.js';
import { BEAT, HELLO, READY } from '../cluster-peer.js';

function joined(peers: readonly string[], nowMs = 0): readonly Member[] {
  let members: readonly Member[] = [];
  for (const [i, peer] of peers.entries()) members = admit(members, i, peer, HELLO, nowMs).members;
  return members;
}

test('silence is first suspected, once, and then ends membership', () => {
  let members = heard(joined(['a', 'b'], 0), 'b', 900);
  const early = findSilent(members, 1000, 1000, 3000);
  assert.deepEqual([early.suspected.length, early.lost.length], [0, 0]);
  const later = findSilent(members, 1001, 1000, 3000);
  assert.deepEqual(
    later.suspected.map((m) => m.peer),
    ['a'],
  );
  members = later.members;
  assert.deepEqual(findSilent(members, 1002, 1000, 3000).suspected, []);
  const last = findSilent(members, 3001, 1000, 3000);
  assert.deepEqual(
    last.lost.map(({ member, reason }) => [member.peer, reason]),
    [['a', 'silent for 3001 ms']],
  );
});

test('a message ends suspicion', () => {
  const { members } = findSilent(joined(['a']), 2000, 1000, 9000);
  assert.equal(members[0]!.suspected, true);
  assert.equal(heard(members, 'a', 2001)[0]!.suspected, false);
});

test('an unknown peer is not a member', () => {
  assert.equal(memberOf(joined(['a']), 'x'), undefined);
  assert.deepEqual(heard(joined(['a']), 'x', 5), joined(['a']));
  assert.deepEqual(without(joined(['a']), 'x'), joined(['a']));
});

test('a full run and another protocol are reasons not to admit', () => {
  assert.equal(admissionError(HELLO, 1), null);
  assert.equal(admissionError(HELLO, 0)?.code, 'WORKER_REFUSED');
  assert.equal(admissionError({ ...HELLO, protocolVersion: 1 }, 1)?.code, 'PROTOCOL_VERSION');
});

test('those in the ring of a commit hold the state after it, the others what they held', () => {
  let members = joined(['a', 'b', 'c']);
  for (const peer of ['a', 'b', 'c'])
    members = heard(madeReady(members, peer, { ...READY, step: 4 }), peer, 1, { holds: [1] });
  members = committed(members, [0, 2], 4);
  assert.deepEqual(
    holders(members, 5).map((m) => m.peer),
    ['a', 'c'],
  );
  assert.deepEqual(
    members.map((m) => m.holds),
    [[], [1], []],
  );
});

test('a worker holds what it says it holds, and has applied at least that', () => {
  const bare = madeReady(joined(['a']), 'a', { ...READY, step: 4, hasState: false });
  assert.deepEqual([bare[0]!.state, bare[0]!.applied, holders(bare, 4).length], [null, 0, 0]);
  const holding = madeReady(bare, 'a', { ...READY, step: 4 });
  assert.deepEqual([holding[0]!.state, holding[0]!.applied, holders(holding, 4).length], [4, 4, 1]);
  assert.equal(applied(holding, 'a', 4)[0]!.applied, 5);
  assert.equal(applied(holding, 'a', 1)[0]!.applied, 4);
});

test('heartbeats show when something moved, and keep the last log lines', () => {
  let members = beaten(joined(['a']), 'a', BEAT, 10);
  members = beaten(members, 'a', { ...BEAT, logLines: ['x', 'y'] }, 20);
  assert.deepEqual([members[0]!.movedAtMs, members[0]!.phaseSinceMs], [10, 10]);
  members = beaten(members, 'a', { ...BEAT, messages: 1 }, 30);
  assert.deepEqual([members[0]!.movedAtMs, members[0]!.phaseSinceMs], [30, 10]);
  members = beaten(members, 'a', { ...BEAT, messages: 1, phase: Phase.PHASE_UPDATE, logLines: ['z'] }, 40);
  assert.deepEqual([members[0]!.movedAtMs, members[0]!.phaseSinceMs], [30, 40]);
  assert.deepEqual(members[0]!.logLines, ['x', 'y', 'z']);
});

test('a ring has stalled only when all are in it and nothing comes in anywhere', () => {
  const ring = (phase: Phase, atMs: number) =>
    beaten(joined(['a', 'b']), 'a', { ...BEAT, step: 3, phase: Phase.PHASE_ALL_REDUCE }, 0).map((m) =>
      m.peer === 'a' ? m : beaten([m], 'b', { ...BEAT, step: 3, phase }, atMs)[0]!,
    );
  assert.equal(ringStalled(ring(Phase.PHASE_COMMIT_WAIT, 0), 3, 1001, 1000, 0), true);
  assert.equal(ringStalled(ring(Phase.PHASE_ALL_REDUCE, 500), 3, 1001, 1000, 0), false);
  assert.equal(ringStalled(ring(Phase.PHASE_COMPUTE, 0), 3, 1001, 1000, 0), false);
  assert.equal(ringStalled(ring(Phase.PHASE_ALL_REDUCE, 0), 4, 1001, 1000, 0), false);
  assert.equal(ringStalled(ring(Phase.PHASE_ALL_REDUCE, 0).slice(0, 1), 3, 1001, 1000, 0), false);
  // What stood still before it was planned again does not count.
  assert.equal(ringStalled(ring(Phase.PHASE_ALL_REDUCE, 0), 3, 1001, 1000, 1), false);
});

test('of a ring that has stalled the worker behind the broken link has got least', () => {
  let members = joined(['a', 'b', 'c']);
  const messages = { a: 4, b: 1, c: 3 };
  for (const [peer, count] of Object.entries(messages)) {
    members = beaten(members, peer, { ...BEAT, messages: count }, 10);
  }
  assert.equal(leastReached(members, BEAT.generation)?.peer, 'b');
  // The same count: who has waited longest.
  members = beaten(members, 'c', { ...BEAT, messages: 1 }, 9);
  assert.equal(leastReached(members, BEAT.generation)?.peer, 'c');
  // Who is not even in it yet.
  members = beaten(members, 'a', { ...BEAT, generation: 7, messages: 0 }, 12);
  members = beaten(members, 'b', { ...BEAT, generation: 7, messages: 0 }, 11);
  assert.equal(leastReached(members, 7)?.peer, 'c');
  assert.equal(leastReached([], 0), undefined);
});
