/** Precedence, validation and the messages of a run's configuration. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig, type ConfigSources, type OptionValues } from '../../../src/run/config/config.js';
import { VitrailError, type ErrorCode } from '../../../src/errors/errors.js';

const DATA = { data: '/photos' };

function refusal(sources: ConfigSources): VitrailError {
  try {
    resolveConfig(sources);
  } catch (thrown) {
    if (thrown instanceof VitrailError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

test('without anything else the defaults hold, and the configuration is frozen', () => {
  const config = resolveConfig({ flags: DATA });
  assert.equal(config.model, 'vit-b/16');
  assert.equal(config.batch, 128);
  assert.equal(config.lr, 1e-3);
  assert.equal(config.finalLr, null);
  assert.ok(Object.isFrozen(config));
  assert.throws(() => {
    (config as { batch: number }).batch = 1;
  }, TypeError);
});

test('defaults give way to the preset, the preset to the file, the file to the flags', () => {
  const file = { preset: 'tutorial', values: { lr: 0.1, batch: 64 } };
  const config = resolveConfig({ flags: { ...DATA, batch: 128 }, file });
  assert.deepEqual(
    [config.batch, config.lr, config.weightDecay, config.optimizer, config.seed],
    [128, 0.1, 0.3, 'adam', 0],
  );
});

test('a preset given as a flag takes the place of the file’s', () => {
  const file = { preset: 'tutorial', values: {} };
  const config = resolveConfig({ flags: DATA, file, preset: 'table4-cifar10' });
  assert.equal(config.optimizer, 'sgd');
  assert.equal(config.gelu, 'tanh');
});

test('an undefined flag counts as not given', () => {
  assert.equal(resolveConfig({ flags: { ...DATA, batch: undefined } }).batch, 128);
});

test('texts of a command line become numbers, truth values and nothing', () => {
  const flags = {
    ...DATA,
    batch: '64',
    lr: '1e-3',
    resume: 'true',
    steps: '10',
    finalLr: 'none',
    seed: '+7',
  };
  const config = resolveConfig({ flags, file: { preset: null, values: { finalLr: 1e-5 } } });
  assert.deepEqual(
    [config.batch, config.lr, config.resume, config.steps, config.finalLr, config.seed],
    [64, 1e-3, true, 10, null, 7],
  );
});

test('mean and standard deviation are numbers, lists or texts, and become one text', () => {
  const values = { mean: [0.485, 0.456, 0.406], std: 0.25 };
  const { mean, std } = resolveConfig({ flags: DATA, file: { preset: null, values } });
  assert.deepEqual([mean, std], ['0.485,0.456,0.406', '0.25,0.25,0.25']);
  assert.equal(resolveConfig({ flags: { ...DATA, mean: 'none' } }).mean, null);
});

for (const [values, problem] of [
  [{ mean: '1,2' }, /option "mean" is 1,2: neither one number nor three/],
  [{ mean: ['a', 'b', 'c'] }, /option "mean" is \["a","b","c"\]: of the wrong type/],
  [{ std: '0.2,0,0.2' }, /option "std" is 0.2,0,0.2: a standard deviation is above 0/],
  [{ cropFraction: '0' }, /option "crop-fraction" is 0: too small/],
  [{ cropFraction: 3, imageSize: 2, model: 'vit-micro/1' }, /would be resized to nothing/],
  [{ interpolation: 'lanczos' }, /option "interpolation" is "lanczos": not one of the choices/],
] as const) {
  test(`${JSON.stringify(values)} is refused`, () => {
    assert.match(refusal({ flags: { ...DATA, ...values } }).problem, problem);
  });
}

test('epochs alone take back the steps of a layer below; given together, both stand', () => {
  const preset = 'table4-cifar10';
  assert.equal(resolveConfig({ flags: DATA, preset }).steps, 10_000);
  assert.equal(resolveConfig({ flags: { ...DATA, epochs: 3 }, preset }).steps, null);
  assert.equal(resolveConfig({ flags: { ...DATA, epochs: 3, steps: 50 }, preset }).steps, 50);
  assert.equal(resolveConfig({ flags: { ...DATA, batch: 1024 }, preset }).steps, 10_000);
});

test('the direction of early stopping follows the metric where it is not given', () => {
  assert.equal(resolveConfig({ flags: DATA }).earlyStopMode, 'min');
  const flags = { ...DATA, earlyStopMetric: 'test-accuracy' };
  assert.equal(resolveConfig({ flags }).earlyStopMode, 'max');
  assert.equal(resolveConfig({ flags, preset: 'tutorial' }).earlyStopMode, 'max');
});

test('the model’s name is made canonical', () => {
  for (const model of ['ViT-B/32', 'b/32', 'vit-b/32']) {
    assert.equal(resolveConfig({ flags: { ...DATA, model } }).model, 'vit-b/32');
  }
});

const REFUSED: readonly (readonly [flags: OptionValues, code: ErrorCode, message: RegExp])[] = [
  [
    { data: undefined },
    'CONFIG_MISSING',
    /"data" is not given \(set "data" to folder with train\/ and with val\/ or test\/.*\)/,
  ],
  [{ data: '' }, 'CONFIG_INVALID_VALUE', /"data" is "": empty/],
  [
    { prefetch: 65 },
    'CONFIG_INVALID_VALUE',
    /"prefetch" is 65: too big \(set "prefetch" to a whole number from 1 to 64\)/,
  ],
  [{ imageSize: 0 }, 'CONFIG_INVALID_VALUE', /"image-size" is 0: too small .* from 1 to 4096 \(pixels\)/],
  [{ batch: 1.5 }, 'CONFIG_INVALID_VALUE', /"batch" is 1.5: of the wrong type .* a whole number/],
  [{ batch: 'many' }, 'CONFIG_INVALID_VALUE', /"batch" is "many": of the wrong type/],
  [{ batch: '' }, 'CONFIG_INVALID_VALUE', /"batch" is "": empty/],
  [{ batch: '0x10' }, 'CONFIG_INVALID_VALUE', /"batch" is "0x10"/],
  [{ batch: null }, 'CONFIG_INVALID_VALUE', /"batch" is null/],
  [{ batch: [1] }, 'CONFIG_INVALID_VALUE', /"batch" is \[1\]/],
  [{ lr: 0 }, 'CONFIG_INVALID_VALUE', /"lr" is 0: too small \(set "lr" to a number above 0\)/],
  [{ lr: NaN }, 'CONFIG_INVALID_VALUE', /"lr" is null: of the wrong type/],
  [{ lr: 'Infinity' }, 'CONFIG_INVALID_VALUE', /"lr" is "Infinity"/],
  [
    { dropout: 1 },
    'CONFIG_INVALID_VALUE',
    /"dropout" is 1: too big \(set "dropout" to a number of at least 0 and below 1\)/,
  ],
  [{ cropMinArea: 2 }, 'CONFIG_INVALID_VALUE', /a number above 0 and at most 1/],
  [
    { gelu: 'relu' },
    'CONFIG_INVALID_VALUE',
    /"gelu" is "relu": not one of the choices \(set "gelu" to one of tanh, erf\)/,
  ],
  [{ resume: 'yes' }, 'CONFIG_INVALID_VALUE', /"resume" is "yes": of the wrong type .* true or false/],
  [{ steps: 0 }, 'CONFIG_INVALID_VALUE', /"steps" is 0: too small .*\(steps\), or none/],
  [{ model: 'vit-x/16' }, 'MODEL_UNKNOWN', /vit-x\/16/],
  [{ model: 'resnet50' }, 'MODEL_UNKNOWN', /resnet50/],
  [{ imageSize: 30 }, 'MODEL_PATCH_DOES_NOT_DIVIDE', /30 is not divisible by the patch size 16/],
  [{ batch: 100, microBatch: 32 }, 'BATCH_NOT_DIVISIBLE', /for example 25/],
  [{ batch: 8, microBatch: 32 }, 'BATCH_NOT_DIVISIBLE', /for example 8/],
  [{ batch: 7, microBatch: 6 }, 'BATCH_NOT_DIVISIBLE', /for example 1\)/],
  [
    { batch: 64, microBatch: 32, workers: 3 },
    'TOO_MANY_WORKERS',
    /there are 3 workers, and only 2 micro-batches in a step .* at most 2 workers/,
  ],
  [{ finalLr: 0.1 }, 'CONFIG_INVALID_VALUE', /"final-lr" is 0.1: the cosine schedule would end at 0.1/],
  [
    { schedule: 'linear', lr: 1e-6 },
    'CONFIG_INVALID_VALUE',
    /"final-lr" is null: the linear schedule would end at 0.00001, above .* a number from 0 to 0.000001/,
  ],
  [
    { earlyStopMetric: 'train-accuracy', earlyStopMode: 'min' },
    'CONFIG_INVALID_VALUE',
    /"early-stop-mode" is min: train-accuracy gets better the other way \(set "early-stop-mode" to max\)/,
  ],
  [{ earlyStopMode: 'max' }, 'CONFIG_INVALID_VALUE', /"early-stop-mode" is max: val-loss/],
  [{ listen: '127.0.0.1:5555' }, 'CONFIG_INVALID_VALUE', /"listen" is 127.0.0.1:5555: not an address/],
  [{ listen: 'tcp://host' }, 'CONFIG_INVALID_VALUE', /"listen"/],
  [{ listen: 'tcp://host:70000' }, 'CONFIG_INVALID_VALUE', /"listen"/],
  [{ httpListen: 'http://host:80' }, 'CONFIG_INVALID_VALUE', /"http-listen".*HOST:PORT/],
];

for (const [flags, code, message] of REFUSED) {
  test(`${JSON.stringify(flags)} is refused as ${code}`, () => {
    const error = refusal({ flags: { ...DATA, ...flags } });
    assert.equal(error.code, code);
    assert.match(error.message, message);
  });
}

test('addresses with names, IPv6 and wildcards are taken', () => {
  for (const host of ['gpu-1.lan', '[::1]', '*', '0.0.0.0']) {
    const config = resolveConfig({
      flags: { ...DATA, listen: `tcp://${host}:5555`, httpListen: `${host}:0` },
    });
    assert.equal(config.httpListen, `${host}:0`);
  }
});

test('a constant schedule does not look at the final rate', () => {
  assert.equal(resolveConfig({ flags: { ...DATA, schedule: 'constant', finalLr: 1 } }).finalLr, 1);
});

for (const [given, meant] of [
  ['microBach', 'micro-batch'],
  ['imagesize', 'image-size'],
  ['warmupStep', 'warmup-steps'],
] as const) {
  test(`the unknown option ${given} names ${meant}`, () => {
    const error = refusal({ flags: { ...DATA, [given]: 1 } });
    assert.equal(error.code, 'CONFIG_UNKNOWN_KEY');
    assert.ok(error.remedy.includes(`"${meant}"`), error.remedy);
  });
}

test('names of the prototype are unknown options', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const flags = Object.fromEntries<unknown>([
      ['data', 'd'],
      [name, 1],
    ]);
    assert.equal(refusal({ flags }).code, 'CONFIG_UNKNOWN_KEY');
  }
});

test('an unknown preset lists the known ones, and names of the prototype are unknown', () => {
  for (const preset of ['table5', 'constructor', '']) {
    const error = refusal({ flags: DATA, preset });
    assert.equal(error.code, 'CONFIG_UNKNOWN_PRESET');
    assert.match(error.remedy, /table3-imagenet1k.*table4-cifar10.*tutorial/);
  }
});
