/** A cluster on a real socket, and peers that say to it what a test wants. */
import { systemHost } from '../../src/host/host.js';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext } from 'node:test';
import * as zmq from 'zeromq';
import { Cluster, type ClusterOptions } from '../../src/coordinator/cluster.js';
import type { ClusterEvent } from '../../src/coordinator/members/cluster-event.js';
import type { RunPosition } from '../../src/coordinator/recovery/state-source.js';
import { decode, encode, Phase, PROTOCOL_VERSION, type Body, type Message } from '../../src/wire/codec.js';

export const LONG_MS = 20_000;

export const HELLO: Body<'hello'> = {
  protocolVersion: PROTOCOL_VERSION,
  instance: 'a process',
  host: 'test',
  pid: 42,
  metricsAddress: '',
  runToken: '',
  step: 0,
  pendingGeneration: 0,
  pendingDigest: new Uint8Array(0),
  microBatches: [],
  place: 0,
};

export const READY: Body<'ready'> = {
  backend: 'cpu',
  device: 'cpu',
  ringEndpoint: '',
  stateEndpoint: '',
  step: 0,
  hasState: true,
};

export const BEAT: Body<'heartbeat'> = {
  step: 1,
  phase: Phase.PHASE_COMPUTE,
  progress: 0,
  generation: 0,
  messages: 0,
  logLines: [],
};

export const POSITION: RunPosition = {
  runToken: '00',
  step: 0,
  lastCommit: null,
  own: { pullParts: [], initialise: true },
  keepSums: false,
};

export async function openCluster(
  t: { after(end: () => unknown): void },
  maxWorkers: number,
  heartbeatTimeoutMs = LONG_MS,
  more: Partial<ClusterOptions> = {},
) {
  const events: ClusterEvent[] = [];
  const manifest = new TextEncoder().encode('the manifest');
  const cluster = await Cluster.open({
    clock: systemHost.clock,
    network: systemHost.network,
    hostName: systemHost.process.hostName,
    listen: 'tcp://127.0.0.1:0',
    maxWorkers,
    minWorkers: 1,
    firstWorker: 0,
    suspectAfterMs: heartbeatTimeoutMs / 4,
    heartbeatTimeoutMs,
    welcome: { configJson: '{}', manifestDigest: '', classes: [], heartbeatMs: 1000 },
    position: () => POSITION,
    refuses: () => null,
    offer: (part) => (part === 'manifest' ? manifest : undefined),
    onEvent: (event) => events.push(event),
    onUpdate: () => undefined,
    ...more,
  });
  t.after(async () => cluster.close({ clean: true, reason: 'test over' }, 1));
  return { cluster, events };
}

/** Waits until `workers` are ready, and begins the run. */
export async function assembled(cluster: Cluster, workers: number): Promise<void> {
  assert.equal(await cluster.until(() => cluster.ready.length === workers, LONG_MS), 'met');
  cluster.start();
}

/** What a worker says and hears, by a connection of any kind. */
export abstract class ScriptedPeer {
  /** Of the process that it plays. */
  readonly instance = randomUUID();

  abstract send(name: Message['name'], body: object): Promise<void>;
  abstract receive(): Promise<Message>;

  /** The next message of this name; others are passed over. */
  async receiveOf<N extends Message['name']>(name: N): Promise<Body<N>> {
    for (;;) {
      const message = await this.receive();
      if (message.name === name) return message.body as Body<N>;
    }
  }

  async join(
    hello: Partial<Body<'hello'>> = {},
    ready: Partial<Body<'ready'>> = {},
  ): Promise<Body<'welcome'>> {
    await this.send('hello', { ...HELLO, instance: this.instance, ...hello });
    const welcome = await this.receiveOf('welcome');
    await this.send('ready', { ...READY, ...ready });
    return welcome;
  }
}

/** By a real socket. */
export class Peer extends ScriptedPeer {
  readonly socket = new zmq.Dealer({ linger: 0 });

  constructor(t: TestContext, address: string) {
    super();
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
}
