import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit, madeReady, type Member } from '../../../src/coordinator/members/membership.js';
import { planMessages } from '../../../src/coordinator/step/plan-messages.js';
import { microBatches } from '../../../src/coordinator/step/sampling.js';
import { nextRound } from '../../../src/coordinator/step/step-round.js';
import { decode, encode } from '../../../src/wire/codec.js';
import { HELLO, READY } from '../cluster-peer.js';

/** Workers 0 and 1 hold the state of step 5, worker 2 does not. */
function members(): readonly Member[] {
  let all: readonly Member[] = [];
  for (const worker of [0, 1, 2]) {
    all = admit(all, worker, `${worker}`, HELLO, 0).members;
    const endpoints = { ringEndpoint: `ring ${worker}`, stateEndpoint: `state ${worker}` };
    all = madeReady(all, `${worker}`, { ...READY, ...endpoints, step: 5, hasState: worker < 2 });
  }
  return all;
}

const LIST = microBatches(Uint32Array.of(4, 3, 2, 1, 0), 2);
const round = nextRound({
  step: 5,
  exponents: Int32Array.of(7, -1),
  microBatches: LIST,
  members: members(),
  last: { generation: 8, ring: null },
  speeds: new Map<number, number>(),
  previous: null,
});

test('every worker of the ring is told the same round, and its own work', () => {
  const common = { round, epoch: 2, learningRate: 0.5, samples: 5, members: members() };
  const messages = planMessages({ ...common, ahead: new Map([[1, [LIST[2]!]]]) });
  assert.deepEqual([...messages.keys()], [0, 1, 2]);
  for (const [worker, message] of messages) {
    const { step, generation, epoch, learningRate, exponents, samples, prefetchEpoch } = message;
    assert.deepEqual([step, generation, epoch, learningRate, samples, prefetchEpoch], [5, 9, 2, 0.5, 5, 2]);
    assert.deepEqual(exponents, [7, -1]);
    assert.deepEqual(
      message.ring,
      [0, 1, 2].map((w) => ({ worker: w, endpoint: `ring ${w}` })),
    );
    const own = (round.assignment.get(worker) ?? []).map(({ index }) => index);
    assert.deepEqual(
      message.microBatches.map(({ index }) => index),
      own,
    );
    assert.deepEqual(message.prefetch, worker === 1 ? [{ index: 2, samples: [0] }] : []);
    const peers = message.statePeers.map(({ endpoint }) => endpoint);
    assert.deepEqual(peers, worker === 2 ? ['state 0', 'state 1'] : []);
    const sent = decode(encode('stepPlan', message));
    assert.deepEqual(sent, { ok: true, message: { name: 'stepPlan', body: message } });
  }
  const all = [...messages.values()].flatMap((m) => m.microBatches.map(({ index }) => index));
  assert.deepEqual(all.sort(), [0, 1, 2]);
});

test('nothing is decoded ahead where the next step is not known', () => {
  const messages = planMessages({
    round,
    epoch: 2,
    learningRate: 0.5,
    samples: 5,
    ahead: null,
    members: members(),
  });
  assert.ok([...messages.values()].every(({ prefetch }) => prefetch.length === 0));
});

test('a worker that was lost since the round was planned has no address', () => {
  const left = members().filter(({ worker }) => worker === 2);
  const told = planMessages({ round, epoch: 2, learningRate: 0.5, samples: 5, ahead: null, members: left });
  assert.deepEqual(
    told.get(2)!.ring.map(({ endpoint }) => endpoint),
    ['', '', 'ring 2'],
  );
  assert.deepEqual(
    told.get(2)!.statePeers.map(({ endpoint }) => endpoint),
    ['', ''],
  );
});
