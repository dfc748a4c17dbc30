import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSamePlace, statusAddress } from '../../../src/api/watching/status-address.js';

const place = (host: string, network = '') => ({ host, network });
const page = (httpAddress: string, network = '') => ({
  ...place('alpha', network),
  httpAddress,
  advertised: '10.0.0.7',
});

test('for a wildcard the page is asked for at the host that others are given', () => {
  for (const wildcard of ['0.0.0.0:8080', '[::]:8080']) {
    assert.equal(statusAddress(page(wildcard), place('alpha')), '127.0.0.1:8080');
    assert.equal(statusAddress(page(wildcard), place('beta')), '10.0.0.7:8080');
    assert.equal(statusAddress({ ...page(wildcard), advertised: '' }, place('beta')), 'alpha:8080');
  }
});

test('an address that answers only on its own machine is not asked for from another', () => {
  for (const own of ['127.0.0.1:8080', 'localhost:8080', '[::1]:8080']) {
    assert.equal(statusAddress(page(own), place('alpha')), own);
    assert.equal(statusAddress(page(own), place('beta')), null);
  }
});

test('any other address is asked as it is', () => {
  assert.equal(statusAddress(page('10.0.0.9:80'), place('beta')), '10.0.0.9:80');
});

test('machines and containers of one name are told apart by their network, one machine is known by any name', () => {
  assert.equal(statusAddress(page('127.0.0.1:80', 'boot net:[1]'), place('alpha', 'boot net:[2]')), null);
  assert.equal(
    statusAddress(page('127.0.0.1:80', 'boot net:[1]'), place('renamed', 'boot net:[1]')),
    '127.0.0.1:80',
  );
  assert.equal(isSamePlace(place('alpha', 'boot net:[1]'), place('alpha')), true);
});
