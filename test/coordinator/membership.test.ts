import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  admit,
  heard,
  isAssembled,
  memberOf,
  silentMembers,
  without,
  type Member,
} from '../../src/coordinator/membership.js';
import type { Body } from '../../src/shared/protocol/codec.js';

const hello: Body<'hello'> = {
  protocolVersion: 1,
  softwareVersion: '0',
  host: 'h',
  pid: 1,
  metricsAddress: '',
};
const ready: Body<'ready'> = {
  backend: 'wasm',
  ringEndpoint: 'tcp://127.0.0.1:1',
  step: 0,
  stateParts: [],
};

function joined(peers: readonly string[], nowMs = 0): readonly Member[] {
  let members: readonly Member[] = [];
  for (const peer of peers) members = admit(members, peer, hello, nowMs).members;
  return members;
}

test('workers are numbered in the order they join, and a free number is taken again', () => {
  const three = joined(['a', 'b', 'c']);
  assert.deepEqual(
    three.map((m) => [m.peer, m.worker]),
    [
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ],
  );
  const { member, members } = admit(without(three, 'b'), 'd', hello, 0);
  assert.equal(member.worker, 1);
  assert.deepEqual(
    members.map((m) => m.peer),
    ['a', 'd', 'c'],
  );
});

test('a member is silent only after the timeout since its last word', () => {
  const members = heard(joined(['a', 'b'], 0), 'b', 900);
  assert.deepEqual(silentMembers(members, 1000, 1000), []);
  const silent = silentMembers(members, 1001, 1000);
  assert.deepEqual(
    silent.map(({ member, reason }) => [member.peer, reason]),
    [['a', 'silent for 1001 ms']],
  );
});

test('a run is assembled when all expected workers are in and ready', () => {
  let members = joined(['a', 'b']);
  assert.equal(isAssembled(members, 2), false);
  members = heard(members, 'a', 1, { ready });
  assert.equal(isAssembled(members, 2), false);
  members = heard(members, 'b', 1, { ready });
  assert.equal(isAssembled(members, 2), true);
  assert.equal(isAssembled(members, 3), false);
});

test('a stranger is no member', () => {
  assert.equal(memberOf(joined(['a']), 'x'), undefined);
  assert.deepEqual(heard(joined(['a']), 'x', 5), joined(['a']));
});
