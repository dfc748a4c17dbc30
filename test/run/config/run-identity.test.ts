/** Which changes of the configuration make another run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig, type OptionValues } from '../../../src/run/config/config.js';
import { identityDifference } from '../../../src/run/config/run-identity.js';

const config = (values: OptionValues = {}) => resolveConfig({ flags: { data: '/photos', ...values } });

test('the same run has no difference', () => {
  assert.equal(identityDifference(config(), config()), null);
});

test('another way to write the same mean is the same run', () => {
  const stored = config({ mean: '0.5', std: '.25, .25, .25' });
  assert.equal(identityDifference(stored, config({ mean: '.5,.5,.5', std: '0.25' })), null);
});

test('options that cannot change the weights may change', () => {
  const moved = config({
    data: '/mnt/photos',
    out: '/runs/2',
    workers: 4,
    keepLast: 9,
    recompute: true,
    resume: true,
    logLevel: 'debug',
    checkpointEverySteps: 5,
    listen: 'tcp://0.0.0.0:5555',
  });
  assert.equal(identityDifference(config(), moved), null);
});

for (const [values, expected] of [
  [{ seed: 1 }, { key: 'seed', stored: '0', given: '1' }],
  [{ microBatch: 64 }, { key: 'micro-batch', stored: '32', given: '64' }],
  [{ finalLr: 1e-4 }, { key: 'final-lr', stored: 'null', given: '0.0001' }],
  [{ mean: '0.5' }, { key: 'mean', stored: 'null', given: '0.5,0.5,0.5' }],
  [{ interpolation: 'bicubic' }, { key: 'interpolation', stored: 'bilinear', given: 'bicubic' }],
  [{ cropMode: 'squash' }, { key: 'crop-mode', stored: 'null', given: 'squash' }],
  [{ cropFraction: 0.9 }, { key: 'crop-fraction', stored: 'null', given: '0.9' }],
  [{ epochs: 10 }, { key: 'epochs', stored: '30', given: '10' }],
  [{ steps: 10 }, { key: 'steps', stored: 'null', given: '10' }],
  [{ reduction: 'fp32' }, { key: 'reduction', stored: 'exact', given: 'fp32' }],
] as const) {
  test(`${JSON.stringify(values)} makes another run`, () => {
    assert.deepEqual(identityDifference(config(), config(values)), expected);
  });
}

test('the first difference in the order of the options is named', () => {
  assert.equal(identityDifference(config(), config({ lr: 1e-3, seed: 3, model: 'vit-s/16' }))?.key, 'model');
});

test('another length is another run under every schedule', () => {
  const constant = { schedule: 'constant', warmupSteps: 10 };
  assert.equal(identityDifference(config(constant), config({ ...constant, epochs: 900 }))?.key, 'epochs');
  assert.equal(identityDifference(config(constant), config({ ...constant, steps: 7 }))?.key, 'steps');
});

test('a run may be prolonged from where it is or later, and what was added before stays', () => {
  const once = config({ prolonged: '280:60' });
  const twice = config({ prolonged: '280:60,300:90' });
  for (const [stored, given, step, key] of [
    [config(), once, 280, undefined],
    [config(), once, 281, 'prolonged'],
    [config(), once, null, 'prolonged'],
    [once, twice, 290, undefined],
    [once, config({ prolonged: '280:61' }), 280, 'prolonged'],
    [once, config(), 280, 'prolonged'],
    [twice, once, 300, 'prolonged'],
  ] as const) {
    const difference = identityDifference(stored, given, step);
    assert.equal(difference?.key, key, `${stored.prolonged} to ${given.prolonged} at ${step}`);
  }
});
