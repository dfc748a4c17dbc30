/** What an option takes, and which one a name means. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kebab } from '../../../src/run/config/kebab-case.js';
import { OPTION_KEYS, nearestOption, optionOfKebab } from '../../../src/run/config/option-name.js';
import { optionShape, valueOfText } from '../../../src/run/config/option-shape.js';
import { optionMeta } from '../../../src/run/config/schema.js';

test('every option has metadata, a shape and a name that leads back to it', () => {
  assert.ok(OPTION_KEYS.length > 40);
  for (const key of OPTION_KEYS) {
    assert.ok(optionMeta(key).help.length > 5, key);
    assert.doesNotMatch(optionShape(key).expected, /undefined|infinity/, key);
    assert.equal(optionOfKebab(kebab(key)), key);
    assert.match(kebab(key), /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
  }
  assert.equal(optionOfKebab('imageSize'), undefined);
});

test('only the data folder has no default', () => {
  const required = OPTION_KEYS.filter((key) => optionShape(key).defaultValue === undefined);
  assert.deepEqual(required, ['data']);
});

test('shapes are those of the schema', () => {
  assert.deepEqual(optionShape('imageSize'), {
    type: 'integer',
    nullable: false,
    choices: [],
    defaultValue: 224,
    expected: 'a whole number from 1 to 4096 (pixels)',
  });
  assert.deepEqual(optionShape('gelu').choices, ['tanh', 'erf']);
  assert.equal(optionShape('gelu').type, 'choice');
  assert.equal(optionShape('finalLr').expected, 'a number of at least 0, or none');
  assert.equal(optionShape('finalLr').nullable, true);
  assert.equal(optionShape('mean').expected, 'a text, or none');
  assert.equal(optionShape('resume').type, 'boolean');
  assert.equal(optionShape('initFrom').type, 'string');
});

test('a text becomes what the option takes, or stays a text', () => {
  assert.equal(valueOfText('lr', '.5'), 0.5);
  assert.equal(valueOfText('lr', '-1E-3'), -1e-3);
  assert.equal(valueOfText('batch', '4096'), 4096);
  for (const text of ['', ' 1', '1 ', '0x10', 'NaN', 'Infinity', '1e', '1,5', '.']) {
    assert.equal(valueOfText('lr', text), text);
  }
  assert.equal(valueOfText('resume', 'false'), false);
  assert.equal(valueOfText('resume', 'False'), 'False');
  assert.equal(valueOfText('steps', 'none'), null);
  assert.equal(valueOfText('initFrom', 'none'), null);
  assert.equal(valueOfText('cropMode', 'none'), null);
  assert.equal(valueOfText('batch', 'none'), 'none');
  assert.equal(valueOfText('out', '2024'), '2024');
});

test('the nearest option survives typing errors and other spellings', () => {
  for (const [given, meant] of [
    ['bacth', 'batch'],
    ['image_size', 'image-size'],
    ['imageSize', 'image-size'],
    ['weight-decy', 'weight-decay'],
    ['LR', 'lr'],
    ['learning_rate', 'lr'],
    ['batch-size', 'batch'],
    ['output_dir', 'out'],
  ] as const) {
    assert.equal(nearestOption(given), meant);
  }
});
