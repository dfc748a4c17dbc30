import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit } from '../../../src/coordinator/members/membership.js';
import { HELLO } from '../cluster-peer.js';
import { discovery } from '../../../src/coordinator/watch/run-pages.js';

const hello = { ...HELLO, host: 'alpha', metricsAddress: '10.0.0.1:9000' };

test('discovery lists the workers that serve metrics, in the format Prometheus reads', () => {
  const first = admit([], 0, 'a', hello, 0).members;
  const { members } = admit(first, 1, 'b', { ...hello, metricsAddress: '' }, 0);
  assert.deepEqual(discovery({ members }, 'my-run'), [
    { targets: ['10.0.0.1:9000'], labels: { run: 'my-run', worker: '0', host: 'alpha' } },
  ]);
});
