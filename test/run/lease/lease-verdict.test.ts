import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leaseVerdict, watched, type SeenLease } from '../../../src/run/lease/lease-verdict.js';

const TIMING = { renewMs: 2000, lapseMs: 20_000 };
const ELSEWHERE: SeenLease = { number: 1, text: 'a', process: 'unknown', owner: 'process 7 on alpha' };

const judge = (...looks: readonly (readonly [number, readonly SeenLease[]])[]) => {
  const known = looks.reduce<ReturnType<typeof watched>>(
    (before, [nowMs, seen]) => watched(before, seen, nowMs),
    [],
  );
  return leaseVerdict(known, looks.at(-1)![0], TIMING);
};

test('a folder without a lease is free, and so is one whose process is gone', () => {
  assert.deepEqual(judge([0, []]), { kind: 'free' });
  assert.deepEqual(judge([0, [{ ...ELSEWHERE, process: 'gone' }]]), { kind: 'free' });
});

test('a process that runs here holds it, however long it renews nothing', () => {
  const runs: SeenLease = { ...ELSEWHERE, process: 'runs' };
  const verdict = judge([0, [runs]], [60_000, [runs]]);
  assert.deepEqual(verdict, { kind: 'held', owner: 'process 7 on alpha', reason: 'it runs' });
});

test('a process that cannot be seen is watched: it lapses when nothing has changed for long enough', () => {
  const { owner } = ELSEWHERE;
  assert.deepEqual(judge([500, [ELSEWHERE]]), { kind: 'watch', owner, forMs: 20_000 });
  assert.deepEqual(judge([500, [ELSEWHERE]], [12_500, [ELSEWHERE]]), {
    kind: 'watch',
    owner,
    forMs: 8000,
  });
  assert.equal(judge([500, [ELSEWHERE]], [20_500, [ELSEWHERE]]).kind, 'free');
});

test('one renewal shows that the owner lives, also when the watcher itself stood still meanwhile', () => {
  const renewed: SeenLease = { ...ELSEWHERE, text: 'b' };
  assert.equal(judge([0, [ELSEWHERE]], [2000, [renewed]]).kind, 'held');
  assert.equal(judge([0, [ELSEWHERE]], [90_000, [renewed]]).kind, 'held');
  assert.equal(judge([0, [ELSEWHERE]], [2000, [renewed]], [2200, [renewed]]).kind, 'held');
});

test('a file that came while another was watched is watched for as long itself', () => {
  const second: SeenLease = { number: 2, text: '', process: 'unknown', owner: 'an unknown process' };
  const verdict = judge([0, [ELSEWHERE]], [19_000, [ELSEWHERE, second]], [21_000, [ELSEWHERE, second]]);
  assert.deepEqual(verdict, { kind: 'watch', owner: 'an unknown process', forMs: 18_000 });
});
