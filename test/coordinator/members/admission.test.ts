import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from '../../../src/coordinator/members/admission.js';
import { discovery } from '../../../src/coordinator/watch/run-pages.js';
import type { Member } from '../../../src/coordinator/members/membership.js';
import { StartFailures } from '../../../src/coordinator/members/start-failures.js';
import { coded } from '../../../src/errors/errors.js';
import { StateSource } from '../../../src/wire/codec.js';
import { HELLO, POSITION } from '../cluster-peer.js';

const OPTIONS = {
  maxWorkers: 2,
  minWorkers: 1,
  firstWorker: 5,
  position: () => POSITION,
  welcome: { configJson: '{}', manifestDigest: '', classes: [], heartbeatMs: 1000 },
};

const applicant = (instance: string) => ({
  peer: `peer of ${instance}`,
  hello: { ...HELLO, instance, metricsAddress: `${instance}:1`, runToken: POSITION.runToken },
});

function admitted(admission: Admission, members: readonly Member[], instance: string, nowMs = 0) {
  const decision = admission.decide(members, applicant(instance), nowMs);
  assert.ok(decision.kind === 'admitted');
  return decision;
}

test('workers are numbered as they come, from the first number of the coordinator on, and no more than there is room for', () => {
  const admission = new Admission(OPTIONS);
  const first = admitted(admission, [], 'a');
  const second = admitted(admission, first.members, 'b');
  assert.deepEqual([first.welcome.worker, second.welcome.worker], [5, 6]);
  const third = admission.decide(second.members, applicant('c'), 0);
  assert.equal(third.kind === 'refused' && third.error.code, 'WORKER_REFUSED');
  assert.equal(admitted(admission, [], 'c').member.worker, 7);
});

test('a worker that takes over from another has its place in metrics and a number of its own', () => {
  const admission = new Admission({ ...OPTIONS, maxWorkers: 3 });
  const first = admitted(admission, [], 'a');
  const second = admitted(admission, first.members, 'b');
  assert.deepEqual([first.member.place, second.member.place], [0, 1]);
  const left = second.members.filter(({ instance }) => instance !== 'a');
  const third = admitted(admission, left, 'c');
  assert.deepEqual([third.welcome.worker, third.welcome.place], [7, 0]);
  assert.deepEqual(
    discovery({ members: third.members }, 'run').map(({ labels }) => [labels.worker, labels.host]),
    [
      ['1', 'test'],
      ['0', 'test'],
    ],
  );
});

test('local workers that come in another order have their own places', () => {
  const admission = new Admission(OPTIONS);
  const wishing = (instance: string, place: number) => ({
    peer: instance,
    hello: { ...HELLO, instance, place: place + 1 },
  });
  const first = admission.decide([], wishing('a', 1), 0);
  assert.ok(first.kind === 'admitted');
  const second = admission.decide(first.members, wishing('b', 0), 0);
  assert.ok(second.kind === 'admitted');
  assert.deepEqual([first.member.place, second.member.place], [1, 0]);
});

test('a process whose state is wrong gets another until it says that it is ready', () => {
  const admission = new Admission(OPTIONS);
  const source = () => admitted(admission, [], 'a').welcome.stateSource;
  const { member } = admitted(admission, [], 'a');
  assert.equal(source(), StateSource.STATE_SOURCE_KEPT);
  admission.distrust(member);
  assert.deepEqual([source(), source()], [StateSource.STATE_SOURCE_SEED, StateSource.STATE_SOURCE_SEED]);
  assert.equal(admitted(admission, [], 'b').welcome.stateSource, StateSource.STATE_SOURCE_KEPT);
  admission.trust(member);
  assert.equal(source(), StateSource.STATE_SOURCE_KEPT);
});

test('a process that is kept out waits, unless too few are there without it', () => {
  const admission = new Admission(OPTIONS);
  const { member } = admitted(admission, [], 'a');
  const { members } = admitted(admission, [], 'b');
  assert.equal(admission.quarantine(member, 0), 30_000);
  assert.equal(admission.decide(members, applicant('a'), 1000).kind, 'later');
  assert.equal(admission.decide([], applicant('a'), 1000).kind, 'admitted');
  assert.equal(admission.decide(members, applicant('a'), 31_000).kind, 'admitted');
});

test('while a commit is written down everybody waits, and comes in the order of their hellos', () => {
  const admission = new Admission(OPTIONS);
  assert.equal(admission.defers(applicant('a')), false);
  admission.pause();
  assert.deepEqual(
    ['a', 'b'].map((instance) => admission.defers(applicant(instance))),
    [true, true],
  );
  assert.deepEqual(
    admission.resume().map(({ hello }) => hello.instance),
    ['a', 'b'],
  );
  assert.deepEqual([admission.defers(applicant('a')), admission.resume()], [false, []]);
});

test("the reason of a worker's failure is kept for its process and machine until that comes back", () => {
  const failures = new StartFailures();
  failures.note({ host: 'alpha', pid: 7 }, coded('STATE_LOST', { step: 1 }));
  assert.equal(failures.of({ host: 'alpha', pid: 7 })?.code, 'STATE_LOST');
  assert.equal(failures.of({ host: 'beta', pid: 7 }), undefined);
  failures.forget({ host: 'alpha', pid: 7 });
  assert.equal(failures.of({ host: 'alpha', pid: 7 }), undefined);
});
