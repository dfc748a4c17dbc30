/** A run that is made longer: what its identity says, what its schedule does, and that it goes on after an early stop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterProlongation, prolonged } from '../../../src/run/folder/prolongation.js';
import { initialRunState, type RunState } from '../../../src/run/journal/run-state.js';
import { scheduleAt } from '../../../src/coordinator/trainer.js';
import { resolveConfig, type OptionValues } from '../../../src/run/config/config.js';
import { learningRate } from '../../../src/run/schedule/learning-rate.js';

const PER_EPOCH = 10;
const config = (values: OptionValues) =>
  resolveConfig({ flags: { data: '/photos', resume: true, lr: 1, epochs: 4, ...values } });
const rates = (values: OptionValues, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) =>
    learningRate(scheduleAt(config(values), PER_EPOCH, from + i), from + i),
  );

test('the length and the step from which it holds are noted, one after the other', () => {
  const once = prolonged(config({ extendToEpochs: 6 }), 40, PER_EPOCH);
  assert.deepEqual([once.epochs, once.extendToEpochs, once.prolonged], [4, null, '40:6']);
  const twice = prolonged({ ...once, extendToEpochs: 9 }, 52, PER_EPOCH);
  assert.equal(twice.prolonged, '40:6,52:9');
});

test('the same command given again adds nothing', () => {
  const once = prolonged(config({ extendToEpochs: 6 }), 40, PER_EPOCH);
  assert.equal(prolonged({ ...once, extendToEpochs: 6 }, 47, PER_EPOCH).prolonged, '40:6');
});

test('a run cannot be made shorter', () => {
  assert.throws(() => prolonged(config({ extendToEpochs: 3 }), 12, PER_EPOCH), {
    code: 'CONFIG_INVALID_VALUE',
    message: /"extend-to-epochs" is 3: the run has 40 steps, and 3 epochs are 30 .*at least 4/,
  });
  assert.throws(() => prolonged(config({ steps: 41, extendToEpochs: 4 }), 41, PER_EPOCH), /at least 5/);
});

test('the decay goes on as in a run of the new length, and what was trained before keeps its rates', () => {
  for (const schedule of ['cosine', 'linear'] as const) {
    const values = { schedule, warmupSteps: 2 };
    const longer = { ...values, prolonged: '40:8' };
    assert.deepEqual(rates(longer, 0, 40), rates(values, 0, 40));
    assert.deepEqual(rates(longer, 40, 80), rates({ ...values, epochs: 8 }, 40, 80));
  }
  // Halfway between 1 and 0, then falling to it.
  assert.equal(rates({ warmupSteps: 0, prolonged: '40:8' }, 40, 41)[0], 0.5);
});

test('under a constant schedule a prolonged run has had the rates of the long one all along', () => {
  const values = { schedule: 'constant', warmupSteps: 3 };
  assert.deepEqual(rates({ ...values, prolonged: '40:8' }, 0, 80), rates({ ...values, epochs: 8 }, 0, 80));
});

test('a warm-up that follows from the length is that of the first length: none begins after the prolongation', () => {
  const longer = { schedule: 'constant', prolonged: '40:800' };
  assert.deepEqual(rates(longer, 0, 3), [0, 0.5, 1]);
  assert.deepEqual(rates(longer, 40, 42), [1, 1]);
});

test('a run that stopped early goes on only if it is prolonged, and then counts its patience from 0', () => {
  const stopped: RunState = {
    ...initialRunState(1),
    step: 40,
    ended: 'no better',
    earlyStopping: { best: 0.5, badEvaluations: 3 },
  };
  const goesOn = afterProlongation(stopped, config({ prolonged: '40:8' }));
  assert.deepEqual([goesOn.ended, goesOn.earlyStopping], [null, { best: 0.5, badEvaluations: 0 }]);
  assert.equal(afterProlongation(stopped, config({ prolonged: '30:8' })), stopped);
  assert.equal(afterProlongation(stopped, config({})), stopped);
});
