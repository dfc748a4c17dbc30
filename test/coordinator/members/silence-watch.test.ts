import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit, heard, type Member } from '../../../src/coordinator/members/membership.js';
import { SilenceWatch } from '../../../src/coordinator/members/silence-watch.js';
import { HELLO } from '../cluster-peer.js';

const LIMITS = { suspectAfterMs: 300, heartbeatTimeoutMs: 900 };

function members(...peers: string[]): readonly Member[] {
  let all: readonly Member[] = [];
  for (const [i, peer] of peers.entries()) all = admit(all, i, peer, HELLO, 0).members;
  return all;
}

/** Looks every 100 ms until `endMs`; only 'a' says anything. @returns what was found, with the time */
function watch(endMs: number, watching: SilenceWatch): string[] {
  let now = members('a', 'b');
  const found: string[] = [];
  for (let ms = 100; ms <= endMs; ms += 100) {
    now = heard(now, 'a', ms);
    const silence = watching.look(now, ms);
    now = silence.members;
    found.push(...silence.suspected.map(({ peer }) => `${peer} suspected at ${ms}`));
    found.push(...silence.lost.map(({ member, reason }) => `${member.peer} lost: ${reason}`));
  }
  return found;
}

test('a silent worker is suspected once, and lost later', () => {
  assert.deepEqual(watch(1000, new SilenceWatch(LIMITS, 0)), [
    'b suspected at 400',
    'b lost: silent for 1000 ms',
  ]);
});

test('time in which the coordinator itself stood still does not count as silence', () => {
  const watching = new SilenceWatch(LIMITS, 0);
  const { suspected, lost } = watching.look(members('a', 'b'), 60_000);
  assert.deepEqual([suspected, lost], [[], []]);
});

test('a worker that is lost in a look is not also suspected', () => {
  const hasty = new SilenceWatch({ suspectAfterMs: 100, heartbeatTimeoutMs: 100 }, 0);
  assert.deepEqual(
    hasty.look(members('a'), 400).suspected.map(({ peer }) => peer),
    [],
  );
  const { suspected, lost } = hasty.look(members('a'), 800);
  assert.deepEqual([suspected.length, lost.length], [0, 1]);
});
