/** How mean and standard deviation are written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalChannels, channelValues } from '../../../src/run/model/preprocessing.js';

test('one number stands for all channels', () => {
  assert.deepEqual(channelValues('0.5'), [0.5, 0.5, 0.5]);
  assert.deepEqual(channelValues('.485, 0.456,4.06e-1'), [0.485, 0.456, 0.406]);
  assert.deepEqual(channelValues('0'), [0, 0, 0]);
});

test('anything else stands for nothing', () => {
  for (const text of [
    '',
    '0.5,0.5',
    '1,2,3,4',
    '1,2,',
    'a',
    '0.5;0.5;0.5',
    'NaN',
    '1e999',
    '0x1',
    '[1,2,3]',
  ]) {
    assert.equal(channelValues(text), null, text);
  }
});

test('equal values have one text, and a text without meaning is kept to be refused', () => {
  assert.equal(canonicalChannels('.5'), '0.5,0.5,0.5');
  assert.equal(canonicalChannels('0.50, .5,5e-1'), '0.5,0.5,0.5');
  assert.equal(canonicalChannels(null), null);
  assert.equal(canonicalChannels('half'), 'half');
});
