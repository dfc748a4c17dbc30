import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluationReportError, stepReportError } from '../../../src/coordinator/step/report-check.js';
import type { Body } from '../../../src/wire/codec.js';

const sound = {
  lossSum: 5,
  correct: 2,
  samples: 4,
  digest: new Uint8Array(32),
  maxima: [0, 1.5],
  nonFinite: [1],
} as unknown as Body<'stepDone'>;

test('a sound report has no error', () => {
  assert.equal(stepReportError(0, sound, 4, 2), null);
  const evaluation = { evaluation: 1, lossSum: 1, correct: 1, predictions: [0, 2] };
  assert.equal(evaluationReportError(0, evaluation, 2, 3), null);
});

const lies: readonly [what: string, changes: object][] = [
  ['other samples than it was given', { samples: 7 }],
  ['more correct than samples', { correct: 5 }],
  ['a negative count', { correct: -1 }],
  ['a loss sum beyond exact integers', { lossSum: 2 ** 60 }],
  ['a digest that is too short', { digest: new Uint8Array(3) }],
  ['too few maxima', { maxima: [] }],
  ['a maximum that is NaN', { maxima: [NaN, 1] }],
  ['a negative maximum', { maxima: [-1, 1] }],
  ['a tensor that does not exist', { nonFinite: [2] }],
];

for (const [what, changes] of lies) {
  test(`a step report with ${what} is refused with the worker named`, () => {
    const error = stepReportError(3, { ...sound, ...changes }, 4, 2);
    assert.equal(error?.code, 'PROTOCOL_GARBAGE');
    assert.match(error.message, /worker 3/);
  });
}

const EVALUATED = { evaluation: 1, lossSum: 1, correct: 1, predictions: [0, 2] };
for (const [what, changes] of [
  ['too few predictions', { predictions: [1] }],
  ['a class that does not exist', { predictions: [0, 3] }],
  ['more correct than images', { correct: 3 }],
  ['a loss that is no number', { lossSum: NaN }],
] as const) {
  test(`an evaluation report with ${what} is refused`, () => {
    assert.equal(evaluationReportError(1, { ...EVALUATED, ...changes }, 2, 3)?.code, 'PROTOCOL_GARBAGE');
  });
}
