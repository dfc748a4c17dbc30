import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsAddress, metricsListen } from '../../src/worker/metrics-address.js';
import { ownAddress } from '../../src/worker/own-address.js';

const found = async (coordinator: string, advertise: string | null = null) =>
  ownAddress({
    coordinator,
    advertise,
    timeoutMs: 200,
    leave: new AbortController().signal,
    onWait: () => undefined,
  });

test("a worker's address is the local one of its route to the coordinator, which need not be there yet", async () => {
  assert.deepEqual(await found('tcp://127.0.0.1:9'), { bind: '127.0.0.1', advertise: '127.0.0.1' });
  assert.deepEqual(await found('tcp://127.8.8.8:9'), { bind: '127.0.0.1', advertise: '127.0.0.1' });
  assert.deepEqual(await found('tcp://localhost:9'), { bind: '127.0.0.1', advertise: '127.0.0.1' });
});

test('an advertised address is given to others as it is; sockets are bound to it only if it is of this machine', async () => {
  assert.deepEqual(await found('tcp://127.0.0.1:9', '127.0.0.1'), {
    bind: '127.0.0.1',
    advertise: '127.0.0.1',
  });
  assert.deepEqual(await found('tcp://127.0.0.1:9', '203.0.113.7'), {
    bind: '127.0.0.1',
    advertise: '203.0.113.7',
  });
});

test('a name that does not resolve has an error of its own, the advertised one as well', async () => {
  // RFC 6761: no name server knows anything under .invalid.
  const refused = { code: 'HOST_UNRESOLVED', problem: /no-such-host\.invalid does not resolve: .*\(E\w+\)/ };
  await assert.rejects(found('tcp://no-such-host.invalid:7070'), refused);
  await assert.rejects(found('tcp://127.0.0.1:7070', 'no-such-host.invalid'), refused);
  await assert.rejects(found('no-such-host.invalid:7070'), { code: 'ADDRESS_INVALID' });
});

test('metrics are served where the coordinator is faced, unless another place or none is asked for', () => {
  assert.equal(metricsListen('auto', '10.0.0.7'), '10.0.0.7:0');
  assert.equal(metricsListen('auto', 'fd00::7'), '[fd00::7]:0');
  assert.equal(metricsListen('0.0.0.0:9465', '10.0.0.7'), '0.0.0.0:9465');
  assert.equal(metricsListen('none', '10.0.0.7'), null);
});

test('others get an address that they can reach, or none', () => {
  assert.equal(metricsAddress('0.0.0.0:9465', '10.0.0.7'), '10.0.0.7:9465');
  assert.equal(metricsAddress('[::]:9465', 'fd00::7'), '[fd00::7]:9465');
  assert.equal(metricsAddress('10.0.0.8:9465', '10.0.0.7'), '10.0.0.8:9465');
  assert.equal(metricsAddress('127.0.0.1:9465', '127.0.0.1'), '127.0.0.1:9465');
  assert.equal(metricsAddress('127.0.0.1:9465', '10.0.0.7'), '');
});
