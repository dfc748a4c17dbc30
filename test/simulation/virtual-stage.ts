/** Where a test in virtual time stands: a clock, simulated connections, and processes that use them. */
import type { Clock } from '../../src/host/clock.js';
import type { CoordinatorNetwork, WorkerNetwork } from '../../src/host/network.js';
import { SimulatedNetwork } from '../../src/simulation/simulated-network.js';
import { SimulatedProcess } from '../../src/simulation/simulated-process.js';
import { SimulatedRandom, STREAM } from '../../src/simulation/simulated-random.js';
import { WireFabric } from '../../src/simulation/simulated-wire.js';
import { DrivenTime } from './driven-time.js';

/** A test that takes longer than this in virtual time waits for something that never happens. */
const LONGEST_MS = 600_000;

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

  /** Another process, as it sees the world. */
  host(): { readonly clock: Clock; readonly network: CoordinatorNetwork & WorkerNetwork } {
    const pid = this.#processes.size + 1;
    const process = new SimulatedProcess(`process-${pid}`, pid, this.#processes, this.#random);
    this.#processes.set(pid, process);
    return { clock: this.clock, network: this.#network.of(process) };
  }

  /** What is to happen when the test is over, still in virtual time. */
  after(end: () => unknown): void {
    this.#ends.push(end);
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
