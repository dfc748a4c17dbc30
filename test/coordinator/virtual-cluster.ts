/** A cluster and its peers in virtual time: waits take what they say, and a test none of it. */
import type { Connection, WorkerNetwork } from '../../src/host/network.js';
import type { Message } from '../../src/wire/codec.js';
import type { VirtualStage } from '../simulation/virtual-stage.js';
import { assembled, openCluster, ScriptedPeer } from './cluster-peer.js';

export class VirtualPeer extends ScriptedPeer {
  readonly #connection: Connection;
  readonly #come: Message[] = [];
  #wake: () => void = () => undefined;

  constructor(network: WorkerNetwork, address: string) {
    super();
    this.#connection = network.connectControl(address, (message) => {
      this.#come.push(message);
      this.#wake();
    });
  }

  async send(name: Message['name'], body: object): Promise<void> {
    this.#connection.send(name, body);
    return Promise.resolve();
  }

  async receive(): Promise<Message> {
    while (this.#come.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#come.shift()!;
  }

  close(): void {
    this.#connection.close();
  }
}

/** A cluster of so many workers, all of them ready. */
export async function running(stage: VirtualStage, workers: number, heartbeatTimeoutMs?: number) {
  const { clock, network } = stage.host();
  const listen = 'tcp://host-coordinator:0';
  const opened = await openCluster(stage, workers, heartbeatTimeoutMs, { clock, network, listen });
  const { cluster, events } = opened;
  const peers = Array.from({ length: workers }, () => new VirtualPeer(stage.host().network, cluster.address));
  for (const peer of peers) await peer.join();
  await assembled(cluster, workers);
  return { cluster, events, peers };
}
