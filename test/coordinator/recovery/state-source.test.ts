import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseStateSource, type RunPosition } from '../../../src/coordinator/recovery/state-source.js';
import { StateSource } from '../../../src/wire/codec.js';
import { HELLO } from '../cluster-peer.js';

const { STATE_SOURCE_SEED, STATE_SOURCE_COORDINATOR, STATE_SOURCE_KEPT, STATE_SOURCE_PEERS } = StateSource;
const POSITION: RunPosition = {
  runToken: 'aa',
  step: 7,
  lastCommit: { generation: 3, digest: '0102' },
  own: null,
  keepSums: false,
};
const hello = (more: Partial<typeof HELLO>) => ({ ...HELLO, runToken: 'aa', ...more });

test('a newcomer gets the state from the seed, from the coordinator or from peers', () => {
  assert.equal(chooseStateSource(HELLO, POSITION).stateSource, STATE_SOURCE_PEERS);
  const seed = { ...POSITION, own: { pullParts: [], initialise: true } };
  assert.equal(chooseStateSource(HELLO, seed).stateSource, STATE_SOURCE_SEED);
  const checkpoint = { ...POSITION, own: { pullParts: ['weights', 'm'], initialise: false } };
  const choice = chooseStateSource(HELLO, checkpoint);
  assert.deepEqual([choice.stateSource, choice.pullParts], [STATE_SOURCE_COORDINATOR, ['weights', 'm']]);
});

test('a worker that holds the state of the step keeps it, and keeps its sum only after a restart', () => {
  const back = hello({ step: 7, microBatches: [1, 2] });
  assert.deepEqual(chooseStateSource(back, POSITION), {
    stateSource: STATE_SOURCE_KEPT,
    pullParts: [],
    commitDigest: new Uint8Array(0),
    keepSum: false,
    holds: [],
  });
  const { keepSum, holds } = chooseStateSource(back, { ...POSITION, keepSums: true });
  assert.deepEqual([keepSum, holds], [true, [1, 2]]);
});

test('a worker that waits for the last commit gets it', () => {
  const waiting = { step: 6, pendingGeneration: 3, pendingDigest: Uint8Array.of(1, 2) };
  const choice = chooseStateSource(hello(waiting), POSITION);
  assert.deepEqual([choice.stateSource, [...choice.commitDigest]], [STATE_SOURCE_KEPT, [1, 2]]);
  for (const other of [
    { pendingDigest: Uint8Array.of(1, 3) },
    { pendingGeneration: 2 },
    { step: 5 },
    { runToken: 'bb' },
  ]) {
    const refused = chooseStateSource(hello({ ...waiting, ...other }), POSITION);
    assert.equal(refused.stateSource, STATE_SOURCE_PEERS);
  }
  assert.equal(
    chooseStateSource(hello(waiting), { ...POSITION, lastCommit: null }).stateSource,
    STATE_SOURCE_PEERS,
  );
});

test('state of another step or another run is not used', () => {
  for (const other of [{ step: 8 }, { step: 3 }, { step: 7, runToken: 'bb' }]) {
    assert.equal(chooseStateSource(hello(other), POSITION).stateSource, STATE_SOURCE_PEERS);
  }
});

test('a state of a stretch that was computed again is not kept, what comes before and after it is', () => {
  const distrusted = { after: 5, upTo: 8 };
  const sourceAt = (step: number): StateSource =>
    chooseStateSource(hello({ step }), { ...POSITION, step, distrusted }).stateSource;
  assert.deepEqual([6, 7, 8].map(sourceAt), Array(3).fill(STATE_SOURCE_PEERS));
  assert.deepEqual([5, 9].map(sourceAt), Array(2).fill(STATE_SOURCE_KEPT));
});
