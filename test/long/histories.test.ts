/** Two thousand whole runs in virtual time, in a process for each of two cores. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { histories } from '../simulation/run-histories.js';

describe('whatever happens to them', { concurrency: 2 }, () => {
  for (const from of [1, 1001]) {
    test(`1000 histories from seed ${from} on keep every promise`, async () => {
      assert.match(await histories(1000, from), /^1000 histories, 0 failed/);
    });
  }
});
