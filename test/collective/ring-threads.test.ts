import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fillSum, integers } from './ring-fixture.js';
import type { Result } from './ring-member.js';

const MEMBER = fileURLToPath(new URL('./ring-member.js', import.meta.url));
const LENGTH = 2_000_000;

void test('ranks in threads of their own processes reduce, stay responsive, and end by themselves', async () => {
  const members = Array.from({ length: 3 }, () => fork(MEMBER, { serialization: 'advanced' }));
  const exits = members.map((member) => once(member, 'exit'));
  const first = await Promise.all(members.map((member) => once(member, 'message')));
  const endpoints = first.map(([endpoint]) => String(endpoint));
  const replies = members.map((member) => once(member, 'message'));
  members.forEach((member, rank) => {
    const nextEndpoint = endpoints[(rank + 1) % members.length]!;
    member.send({ rank, ranks: members.length, nextEndpoint, length: LENGTH });
  });
  const results = (await Promise.all(replies)).map(([reply]) => reply as Result);
  const expected = fillSum(integers(LENGTH), members.length);
  for (const { out, turns } of results) {
    assert.deepEqual(out, expected);
    assert.ok(turns > 0);
  }
  for (const member of members) member.send('commit');
  for (const [code, signal] of await Promise.all(exits)) {
    assert.deepEqual([code, signal], [0, null]);
  }
});
