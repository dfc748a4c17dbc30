/** What the head sees of an image stays the same only if nothing before the head is trained or drawn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changingFeatures } from '../../../src/run/config/changing-features.js';

const PROBE = { freeze: 'backbone', augment: false, transform: 'paper', dropout: 0, dropPath: 0 } as const;

test('features of a linear probe without augmentation stay the same', () => {
  assert.equal(changingFeatures(PROBE), null);
  assert.equal(changingFeatures({ ...PROBE, augment: true, transform: 'tutorial' }), null);
});

for (const [change, problem, remedy] of [
  [{ freeze: null }, /freeze none/, /--freeze backbone/],
  [{ freeze: '3' }, /freeze 3/, /--freeze backbone/],
  [{ augment: true }, /augment true/, /--no-augment/],
  [{ dropout: 0.1 }, /dropout 0.1/, /--dropout 0/],
  [{ dropPath: 0.2 }, /drop-path 0.2/, /--drop-path 0/],
] as const) {
  test(`they do not with ${JSON.stringify(change)}, and the answer says what to do`, () => {
    const other = changingFeatures(Object.assign({}, PROBE, change));
    assert.match(other?.problem ?? '', problem);
    assert.match(other?.remedy ?? '', remedy);
  });
}
