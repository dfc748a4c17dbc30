import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusAddress } from '../../src/cli/status-address.js';

test('a wildcard is asked for on the machine of the coordinator', () => {
  for (const wildcard of ['0.0.0.0:8080', '[::]:8080']) {
    assert.equal(statusAddress({ host: 'alpha', httpAddress: wildcard }, 'alpha'), '127.0.0.1:8080');
    assert.equal(statusAddress({ host: 'alpha', httpAddress: wildcard }, 'beta'), 'alpha:8080');
  }
});

test('an address for its own machine only is not asked for on another', () => {
  for (const own of ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080']) {
    assert.equal(statusAddress({ host: 'alpha', httpAddress: own }, 'alpha'), own);
    assert.equal(statusAddress({ host: 'alpha', httpAddress: own }, 'beta'), null);
  }
});

test('any other address is asked as it is', () => {
  assert.equal(statusAddress({ host: 'alpha', httpAddress: '10.0.0.7:80' }, 'beta'), '10.0.0.7:80');
});
