import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusBoard } from '../../../src/worker/link/status-board.js';

test('a plan is overtaken by a newer one only', () => {
  const status = new StatusBoard();
  status.announce(4);
  assert.equal(status.overtakes(4), false);
  status.announce(3);
  assert.equal(status.overtakes(4), false);
  new StatusBoard(status.memory).announce(5);
  assert.equal(status.overtakes(4), true);
});

test('what begins after it was called off is overtaken as well, until there is a new place', () => {
  const status = new StatusBoard();
  status.announce(2);
  status.callOff();
  assert.equal(status.overtakes(status.newestGeneration), true);
  status.clearNews();
  assert.equal(status.overtakes(status.newestGeneration), false);
});
