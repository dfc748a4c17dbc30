/** Whole runs in virtual time: whatever happens to them, they end with the weights of the clean run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histories } from './run-histories.js';

for (const from of [1, 251]) {
  test(`250 histories from seed ${from} on keep every promise`, async () => {
    assert.match(await histories(250, from), /^250 histories, 0 failed/);
  });
}
