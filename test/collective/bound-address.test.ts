import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Pull } from 'zeromq';
import { portRange } from '../../src/cli/training/port-range.js';
import type { BoundTo } from '../../src/host/network.js';
import { bindTcp } from '../../src/host/zeromq/bound-address.js';

/** Ephemeral ports begin at 32768. */
const FROM = 20_000 + (process.pid % 10_000);

function bound(t: TestContext, where: BoundTo): Promise<string> {
  const socket = new Pull({ linger: 0 });
  t.after(() => socket.close());
  return bindTcp(socket, where);
}

test('sockets take the ports of a range one after the other, and none beyond it', async (t) => {
  const where = { host: '127.0.0.1', ports: { from: FROM, to: FROM + 1 } };
  const first = await bound(t, where);
  const second = await bound(t, where);
  const ports = [first, second].map((endpoint) => Number(endpoint.split(':').at(-1)));
  assert.ok(ports.every((port) => port === FROM || port === FROM + 1));
  assert.notEqual(ports[0], ports[1]);
  await assert.rejects(bound(t, where), {
    code: 'PORT_IN_USE',
    problem: new RegExp(`tcp://127.0.0.1:${FROM}-${FROM + 1}: none of these ports is free`),
  });
});

test('others get the advertised host with the actual port', async (t) => {
  const endpoint = await bound(t, { host: '127.0.0.1', advertise: 'gpu1.example' });
  assert.match(endpoint, /^tcp:\/\/gpu1\.example:\d+$/);
});

test('a range of ports has room for a worker', () => {
  assert.deepEqual(portRange('7100-7107'), { from: 7100, to: 7107 });
  for (const text of ['7100', '7100-7100', '7107-7100', '0-9', '65535-65536', 'a-b', '']) {
    assert.throws(() => portRange(text), /FROM-TO/, text);
  }
});
