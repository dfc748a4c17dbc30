import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeStep, oddWorker, outvoted } from '../../../src/coordinator/step/step-outcome.js';
import { report } from './step-report.js';

const NAMES = ['a.weight', 'b.weight'];

test('totals are sums and maxima over the workers, whatever their order', () => {
  const reports = [report(0, { maxima: [0.5, 2] }), report(1, { maxima: [1, 0.25], lossSum: 3 * 2 ** 24 })];
  for (const order of [reports, [...reports].reverse()]) {
    const outcome = judgeStep(4, order, NAMES);
    assert.ok(outcome.kind === 'sound');
    assert.deepEqual(outcome.totals, {
      lossSum: 4,
      correct: 6,
      samples: 16,
      maxima: Float32Array.of(1, 2),
      digest: 'abcd',
    });
  }
});

test('a loss that is not finite stops the run and names the first micro-batch', () => {
  const outcome = judgeStep(
    4,
    [
      report(0, { lossNotFinite: true, lossNotFiniteAt: 7 }),
      report(1, { lossNotFinite: true, lossNotFiniteAt: 5 }),
    ],
    NAMES,
  );
  assert.ok(outcome.kind === 'stop');
  assert.equal(outcome.error.code, 'LOSS_NOT_FINITE');
  assert.match(outcome.error.message, /step 4 \(micro-batch 5\)/);
});

test('a gradient that is not finite stops the run and names the tensor', () => {
  const outcome = judgeStep(4, [report(0), report(1, { nonFinite: [1] })], NAMES);
  assert.ok(outcome.kind === 'stop');
  assert.equal(outcome.error.code, 'GRADIENT_NOT_FINITE');
  assert.match(outcome.error.message, /b\.weight/);
});

test('a digest that differs names the odd worker, which a majority outvotes', () => {
  const outcome = judgeStep(4, [report(0), report(1, { digest: Uint8Array.of(1) }), report(2)], NAMES);
  assert.ok(outcome.kind === 'mismatch');
  assert.deepEqual(outcome.odd, [1]);
  assert.equal(outcome.error.code, 'DIGEST_MISMATCH');
  assert.match(outcome.error.message, /worker 1 /);
});

test('if no digest has a majority, no worker is outvoted', () => {
  const two = judgeStep(4, [report(0), report(1, { digest: Uint8Array.of(1) })], NAMES);
  assert.ok(two.kind === 'mismatch');
  assert.deepEqual(two.odd, []);
  const digests = (...list: string[]) => new Map(list.map((digest, worker) => [worker, digest]));
  assert.deepEqual(outvoted(digests('a', 'a', 'b', 'b')), []);
  assert.deepEqual(outvoted(digests('a', 'b', 'c')), []);
  assert.deepEqual(outvoted(digests('b', 'a', 'a', 'c', 'a')), [0, 3]);
  assert.deepEqual(outvoted(digests('a', 'a')), []);
});

test('the odd worker has the rarest digest; of two that differ it is the later one', () => {
  assert.equal(
    oddWorker(
      new Map([
        [0, 'x'],
        [1, 'x'],
        [2, 'x'],
      ]),
    ),
    null,
  );
  assert.equal(
    oddWorker(
      new Map([
        [0, 'y'],
        [1, 'x'],
        [2, 'x'],
      ]),
    ),
    0,
  );
  assert.equal(
    oddWorker(
      new Map([
        [0, 'x'],
        [1, 'y'],
      ]),
    ),
    1,
  );
  assert.equal(oddWorker(new Map()), null);
});

test('a gradient that is not finite stops the run, even that of an unknown tensor', () => {
  const outcome = judgeStep(4, [report(0, { nonFinite: [7] })], NAMES);
  assert.ok(outcome.kind === 'stop');
  assert.match(outcome.error.message, /an unknown tensor/);
});
