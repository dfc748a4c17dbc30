import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ringAddressProblem } from '../../../src/coordinator/step/ring-addresses.js';

const at = (worker: number, host: string, ringEndpoint: string | null) => ({
  worker,
  host,
  ready: ringEndpoint === null ? null : { ringEndpoint },
});

const near = at(0, 'node0', 'tcp://127.0.0.1:7100');
const far = at(1, 'node1', 'tcp://10.0.0.3:7100');

test('a worker on loopback is named as soon as one of another machine is there, in either order', () => {
  const problem = /worker 0 on node0 is reached at tcp:\/\/127\.0\.0\.1:7100, which worker 1 on node1 cannot/;
  assert.match(ringAddressProblem(1, [near, far])!, problem);
  assert.match(ringAddressProblem(0, [near, far])!, problem);
});

test('workers of one machine, of one kind of address, or not ready yet are no problem', () => {
  assert.equal(ringAddressProblem(0, [near, at(1, 'node0', 'tcp://10.0.0.2:7100')]), null);
  assert.equal(ringAddressProblem(0, [near, at(1, 'node1', 'tcp://127.0.0.1:7100')]), null);
  assert.equal(ringAddressProblem(0, [near, at(1, 'node1', null)]), null);
  assert.equal(ringAddressProblem(1, [at(0, 'node0', 'tcp://10.0.0.2:1'), far]), null);
  assert.equal(ringAddressProblem(0, [at(0, 'node0', 'ipc://@ring'), far]), null);
  assert.equal(ringAddressProblem(9, [near, far]), null);
});
