/** What goes wrong in a handler is told, and the socket goes on: over real sockets. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ControlEvents } from '../../src/host/network.js';
import { ControlServer } from '../../src/host/zeromq/control-server.js';
import { BEAT, LONG_MS, Peer } from '../coordinator/cluster-peer.js';

const GONE = 'abcdef';

async function listening(t: TestContext, more: Partial<ControlEvents>) {
  const failures: string[] = [];
  const peers: string[] = [];
  let tell = (): void => undefined;
  const events: ControlEvents = {
    onMessage: (peer) => {
      peers.push(peer);
      tell();
    },
    onGarbage: () => undefined,
    onUnreachable: () => undefined,
    onDisconnect: () => undefined,
    onFailure: (error) => {
      failures.push(String(error));
      tell();
    },
    ...more,
  };
  const server = await ControlServer.listen('tcp://127.0.0.1:0', events);
  t.after(async () => server.close(1));
  /** Waits until `condition` holds, which is looked at with every event. */
  const until = async (condition: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing came: ${failures.join()}`)), LONG_MS);
      tell = () => {
        if (!condition()) return;
        clearTimeout(timer);
        resolve();
      };
      tell();
    });
  return { server, failures, peers, until };
}

test('a handler that throws on an undeliverable message is reported, and later messages are sent', async (t) => {
  const { server, failures, peers, until } = await listening(t, {
    onUnreachable: () => {
      throw new Error('the roster is broken');
    },
  });
  const peer = new Peer(t, server.address);
  await peer.send('heartbeat', BEAT);
  await until(() => peers.length > 0);
  server.send(GONE, 'heartbeatReply', {});
  server.send(peers[0]!, 'stop', { clean: true, reason: 'queued behind it' });
  assert.equal((await peer.receiveOf('stop')).reason, 'queued behind it');
  assert.match(failures.join(), /the roster is broken/);
});

test('a message to an unknown peer is undeliverable as well', async (t) => {
  const told: { resolve?: (peer: string) => void } = {};
  const gone = new Promise<string>((resolve) => (told.resolve = resolve));
  const { server } = await listening(t, { onUnreachable: (peer) => told.resolve?.(peer) });
  server.send(GONE, 'heartbeatReply', {});
  assert.equal(await gone, GONE);
});

test('a handler that throws when a connection closes is reported', async (t) => {
  const { server, failures, peers, until } = await listening(t, {
    onDisconnect: () => {
      throw new Error('the probe is broken');
    },
  });
  const peer = new Peer(t, server.address);
  await peer.send('heartbeat', BEAT);
  await until(() => peers.length > 0);
  peer.socket.close();
  await until(() => failures.length > 0);
  assert.match(failures[0]!, /the probe is broken/);
});

test('a handler that throws on a message is reported, and the next message is handled', async (t) => {
  let thrown = 0;
  const { server, failures, until } = await listening(t, {
    onMessage: () => {
      throw new Error(`message ${++thrown}`);
    },
  });
  const peer = new Peer(t, server.address);
  await peer.send('heartbeat', BEAT);
  await peer.send('heartbeat', BEAT);
  await until(() => failures.length === 2);
  assert.match(failures[1]!, /message 2/);
});
