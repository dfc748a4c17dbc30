import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_TOTALS } from '../../../src/run/journal/run-state.js';
import { duties } from '../../../src/coordinator/step/step-duties.js';

const OPEN = { lossSum: 1, correct: 1, samples: 8 };
const run = {
  config: { evaluateEvery: 2, checkpointEverySteps: 3, auditEverySteps: 2 },
  perEpoch: 4,
  ends: new Set([10]),
};
const brief = (step: number, saved = -1, epochTotals = OPEN) => {
  const { epoch, whole, evaluate, checkpoint, audit } = duties({ step, epochTotals }, saved, run);
  return { epoch, whole, evaluate, checkpoint, audit };
};
const none = { epoch: null, whole: false, evaluate: false, checkpoint: false, audit: false };

test('at the start, and where a checkpoint has been written, nothing is due', () => {
  assert.deepEqual(brief(0), none);
  assert.deepEqual(brief(4, 4, NO_TOTALS), none);
});

test('within an epoch: checkpoints and audits at their intervals, one instead of the other', () => {
  assert.deepEqual(brief(1), none);
  assert.deepEqual(brief(2), { ...none, audit: true });
  assert.deepEqual(brief(3), { ...none, checkpoint: true });
  assert.deepEqual(brief(6), { ...none, checkpoint: true });
  assert.deepEqual(brief(6, 6), none);
});

test('at the end of an epoch conclusions are drawn and a checkpoint is written', () => {
  assert.deepEqual(brief(4), { epoch: 0, whole: true, evaluate: false, checkpoint: true, audit: false });
  assert.deepEqual(brief(8), { epoch: 1, whole: true, evaluate: true, checkpoint: true, audit: false });
});

test('after a crash between the conclusions and the checkpoint only the checkpoint is due', () => {
  const { epoch, checkpoint } = brief(8, -1, NO_TOTALS);
  assert.deepEqual([epoch, checkpoint], [null, true]);
});

test('a run that ends within an epoch is evaluated, and draws no conclusions of the epoch', () => {
  assert.deepEqual(brief(10), { epoch: 2, whole: false, evaluate: true, checkpoint: true, audit: false });
});

test('what was stopped during an evaluation has a checkpoint without conclusions: they are drawn, and it is written again', () => {
  assert.deepEqual(brief(8, 8), { epoch: 1, whole: true, evaluate: true, checkpoint: true, audit: false });
  assert.deepEqual(brief(10, 10), {
    epoch: 2,
    whole: false,
    evaluate: true,
    checkpoint: false,
    audit: false,
  });
});
