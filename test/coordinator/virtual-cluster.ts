/** A cluster and peers in virtual time, by the simulation's connections: waits take what they say, and a test none of it. */
import type { Clock } from '../../src/host/clock.js';
import type { Connection, CoordinatorNetwork, WorkerNetwork } from '../../src/host/network.js';
import { SimulatedNetwork } from '../../src/simulation/simulated-network.js';
import { SimulatedProcess } from '../../src/simulation/simulated-process.js';
import { SimulatedRandom, STREAM } from '../../src/simulation/simulated-random.js';
import { WireFabric } from '../../src/simulation/simulated-wire.js';
import type { Message } from '../../src/wire/codec.js';
import { DrivenTime } from '../simulation/driven-time.js';
import { openCluster, ScriptedPeer } from './cluster-peer.js';

/** A test that takes longer than this in virtual time waits for something that never happens. */
const LONGEST_MS = 600_000;

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

/** What a test in virtual time works with. */
export class VirtualStage {
  readonly clock: Clock;
  readonly #network: SimulatedNetwork;
  readonly #random = new SimulatedRandom(1, STREAM.names);
  readonly #processes = new Map<number, SimulatedProcess>();
  readonly #ends: (() => unknown)[] = [];

  constructor(time: DrivenTime) {
    this.clock = time.clock;
    const draws = new SimulatedRandom(1, STREAM.network);
    const fabric = new WireFabric(time, draws);
    this.#network = new SimulatedNetwork(time, fabric, draws, { onSend: (_from, _name, body) => body });
  }

  /** The sockets of another process. */
  network(): CoordinatorNetwork & WorkerNetwork {
    const pid = this.#processes.size + 1;
    const process = new SimulatedProcess(`process-${pid}`, pid, this.#processes, this.#random);
    this.#processes.set(pid, process);
    return this.#network.of(process);
  }

  async openCluster(maxWorkers: number, heartbeatTimeoutMs?: number) {
    const after = (end: () => unknown): void => void this.#ends.push(end);
    const { clock } = this;
    return openCluster({ after }, maxWorkers, heartbeatTimeoutMs, {
      clock,
      network: this.network(),
      listen: 'tcp://host-coordinator:0',
    });
  }

  /** Peers that have not said anything yet. */
  peers(address: string, count: number): readonly VirtualPeer[] {
    return Array.from({ length: count }, () => new VirtualPeer(this.network(), address));
  }

  async end(): Promise<void> {
    for (const end of this.#ends) await end();
  }
}

/** @returns the body of a test, for `test` */
export function inVirtualTime(body: (stage: VirtualStage) => Promise<void>): () => Promise<void> {
  return async () => {
    const time = new DrivenTime();
    const stage = new VirtualStage(time);
    await time.during(
      body(stage).finally(async () => stage.end()),
      LONGEST_MS,
    );
  };
}
