/** A cluster on a real socket, and peers that say to it what a test wants. */
import assert from 'node:assert/strict';
import { type TestContext } from 'node:test';
import * as zmq from 'zeromq';
import { Cluster } from '../../src/coordinator/cluster.js';
import type { ClusterEvent } from '../../src/coordinator/roster.js';
import {
  decode,
  encode,
  PROTOCOL_VERSION,
  type Body,
  type Message,
} from '../../src/shared/protocol/codec.js';

export const LONG_MS = 20_000;

export const HELLO: Body<'hello'> = {
  protocolVersion: PROTOCOL_VERSION,
  softwareVersion: '0',
  host: 'test',
  pid: 42,
  metricsAddress: '',
};

export const READY: Body<'ready'> = {
  backend: 'cpu',
  ringEndpoint: '',
  step: 0,
  stateParts: [],
};

export async function openCluster(t: TestContext, workers: number, heartbeatTimeoutMs = LONG_MS) {
  const events: ClusterEvent[] = [];
  const manifest = new TextEncoder().encode('the manifest');
  const cluster = await Cluster.open({
    listen: 'tcp://127.0.0.1:0',
    workers,
    heartbeatTimeoutMs,
    welcome: (worker) => ({
      runToken: '00',
      worker,
      configJson: '{}',
      manifestDigest: '',
      classes: [],
      step: 0,
      pullParts: [],
      ringTransport: 'tcp',
    }),
    offer: (part) => (part === 'manifest' ? manifest : undefined),
    onEvent: (event) => events.push(event),
    onUpdate: () => undefined,
  });
  t.after(async () => cluster.close({ clean: true, reason: 'test over' }, 1));
  return { cluster, events };
}

export class Peer {
  readonly socket = new zmq.Dealer({ linger: 0 });

  constructor(t: TestContext, address: string) {
    this.socket.connect(address);
    t.after(() => this.socket.close());
  }

  async send(name: Message['name'], body: object): Promise<void> {
    await this.socket.send(encode(name, body as never));
  }

  async receive(): Promise<Message> {
    this.socket.receiveTimeout = LONG_MS;
    const decoded = decode((await this.socket.receive())[0]!);
    assert.ok(decoded.ok);
    return decoded.message;
  }

  async join(): Promise<void> {
    await this.send('hello', HELLO);
    assert.equal((await this.receive()).name, 'welcome');
    await this.send('ready', READY);
  }
}
