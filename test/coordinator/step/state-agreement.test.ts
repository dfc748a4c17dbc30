import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partDigests, stateVerdict } from '../../../src/coordinator/step/state-agreement.js';

const held = (...digests: string[]) =>
  new Map(
    digests.map((digest, worker) => [
      worker,
      new Map([
        ['weights', 'same'],
        ['exp_avg', digest],
      ]),
    ]),
  );

test('workers that hold the same agree', () => {
  assert.equal(stateVerdict(5, held('a', 'a', 'a')), null);
  assert.equal(stateVerdict(5, held('a', 'a'), new Map([['exp_avg', 'a']])), null);
});

test('the odd worker is named with the part and the step', () => {
  const { error, odd } = stateVerdict(5, held('a', 'b', 'a'))!;
  assert.deepEqual(odd, [1]);
  assert.equal(error.code, 'STATE_MISMATCH');
  assert.match(error.message, /worker 1 .*exp_avg.* step 5/);
});

test('workers that agree with each other and not with the checkpoint are named too', () => {
  assert.match(
    stateVerdict(5, held('b', 'b'), new Map([['exp_avg', 'a']]))!.error.message,
    /worker 0 .*exp_avg/,
  );
});

test('a worker without a part disagrees', () => {
  const without = new Map([...held('a', 'a'), [2, new Map([['weights', 'same']])]]);
  assert.match(stateVerdict(5, without)!.error.message, /worker 2/);
});

test('digests are read as hex', () => {
  const read = partDigests({ step: 1, parts: [{ part: 'weights', sha256: Uint8Array.of(1, 255) }] });
  assert.deepEqual([...read], [['weights', '01ff']]);
});

test('against a checkpoint those that differ are out, unless all do', () => {
  const wanted = new Map([['exp_avg', 'a']]);
  assert.deepEqual(stateVerdict(5, held('b', 'a', 'b'), wanted)?.odd, [0, 2]);
  assert.deepEqual(stateVerdict(5, held('b', 'b'), wanted)?.odd, []);
});
