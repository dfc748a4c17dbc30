/** The name that was probably meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestName } from '../../src/errors/name-distance.js';

test('the nearest name is the first of those with the fewest typing errors', () => {
  assert.equal(nearestName('epohcs', ['batch', 'epochs', 'steps']), 'epochs');
  assert.equal(nearestName('LR', ['lr', 'ls']), 'lr');
});

test('of no names none is near', () => {
  assert.equal(nearestName('epochs', []), '');
});
