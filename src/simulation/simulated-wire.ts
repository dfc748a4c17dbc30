/**
 * Connections between simulated processes. As with TCP, messages arrive in order and late, and connections
 * break or are partitioned.
 */
import type { SimulatedProcess } from './simulated-process.js';
import type { SimulatedRandom } from './simulated-random.js';
import type { VirtualTime } from './virtual-time.js';

export type Frames = readonly Uint8Array[];

/** An address that others connect to. */
export interface WireServer {
  readonly process: SimulatedProcess;
  readonly onFrames: (wire: Wire, frames: Frames) => void;
  readonly onBroken: (wire: Wire) => void;
}

export interface WireClient {
  readonly process: SimulatedProcess;
  readonly onOpen: (wire: Wire) => void;
  readonly onFrames: (frames: Frames) => void;
  readonly onBroken: () => void;
}

export interface Wire {
  readonly id: number;
  readonly client: WireClient;
  readonly server: WireServer;
  broken: boolean;
  /** Messages that were sent still arrive; messages that are sent from now on do not. */
  ending: boolean;
  /** When the last message of each direction arrives, because later ones must not overtake it. */
  readonly lastMs: { toServer: number; toClient: number };
}

type Direction = keyof Wire['lastMs'];

/** Latency in ms: mostly short, sometimes long, so that messages of two connections overtake each other. */
export interface Latency {
  readonly usualMs: number;
  readonly slowMs: number;
  readonly slowShare: number;
}

export const QUICK: Latency = { usualMs: 0.5, slowMs: 40, slowShare: 0.02 };
const CONNECT_MS = 0.5;
/** Time until an end notices that the other has closed. */
const NOTICE_MS = 4;
/** Time until it notices that the other end has vanished without closing. */
const SILENT_NOTICE_MS = 6000;
const RECONNECT_MS = 100;
const LONGEST_RECONNECT_MS = 2000;

export class WireFabric {
  readonly #time: VirtualTime;
  readonly #random: SimulatedRandom;
  readonly #latency: Latency;
  readonly #servers = new Map<string, WireServer>();
  readonly #wires = new Set<Wire>();
  /** The end of the partition between two processes. */
  readonly #partitions = new Map<string, number>();
  #ids = 0;

  constructor(time: VirtualTime, random: SimulatedRandom, latency = QUICK) {
    this.#time = time;
    this.#random = random;
    this.#latency = latency;
  }

  /** @returns false if another process has the address */
  serve(address: string, server: WireServer): boolean {
    if (this.#servers.get(address)?.process.alive === true) return false;
    this.#servers.set(address, server);
    return true;
  }

  /** Takes no more connections. Messages that are on their way still arrive. */
  withdraw(address: string, server: WireServer): void {
    if (this.#servers.get(address) === server) this.#servers.delete(address);
    for (const wire of this.#wires) if (wire.server === server) this.#endAfterLast(wire);
  }

  /** Connects, again whenever the connection breaks, until `givenUp` gives true. */
  connect(address: string, client: WireClient, givenUp: () => boolean, waitMs = CONNECT_MS): void {
    this.#time.plan(client.process, waitMs, () => {
      if (givenUp()) return;
      const server = this.#servers.get(address);
      const reached = server?.process.alive === true && !this.#parted(client.process, server.process);
      if (!reached) {
        this.connect(
          address,
          client,
          givenUp,
          Math.min(LONGEST_RECONNECT_MS, Math.max(RECONNECT_MS, 2 * waitMs)),
        );
        return;
      }
      const nowMs = this.#time.nowMs;
      const wire: Wire = {
        id: ++this.#ids,
        client,
        server,
        broken: false,
        ending: false,
        lastMs: { toServer: nowMs, toClient: nowMs },
      };
      this.#wires.add(wire);
      client.onOpen(wire);
    });
  }

  /** @param leaveMs after this time the frames have left the sender's memory; until then they may change */
  transmit(wire: Wire, direction: Direction, frames: Frames, leaveMs = 0): void {
    const sender = direction === 'toServer' ? wire.client.process : wire.server.process;
    if (!sender.alive || wire.ending) return;
    const arrivesMs = Math.max(wire.lastMs[direction], this.#time.nowMs + leaveMs + this.#latencyMs());
    wire.lastMs[direction] = arrivesMs;
    if (leaveMs === 0) {
      this.#arrive(wire, direction, frames, arrivesMs);
      return;
    }
    this.#time.plan(sender, leaveMs, () => {
      const copies = frames.map((frame) => Uint8Array.from(frame));
      this.#arrive(wire, direction, copies, arrivesMs);
    });
  }

  /** Breaks all connections between two processes. */
  cut(a: SimulatedProcess, b: SimulatedProcess): void {
    for (const wire of this.#between(a, b)) this.break(wire);
  }

  /** Two processes do not hear each other for a while. */
  part(a: SimulatedProcess, b: SimulatedProcess, forMs: number): void {
    this.#partitions.set(pairKey(a, b), this.#time.nowMs + forMs);
    // A connection survives a short partition. Messages that were sent meanwhile are sent again.
    if (this.#random.chance(0.5)) this.#time.plan(null, forMs, () => this.cut(a, b));
  }

  /** A process has died. @param silent whether its machine has, too, so that connections are not closed */
  died(process: SimulatedProcess, silent: boolean): void {
    for (const wire of [...this.#wires]) {
      if (wire.client.process !== process && wire.server.process !== process) continue;
      this.break(wire, silent ? this.#random.between(1000, SILENT_NOTICE_MS) : NOTICE_MS);
    }
  }

  break(wire: Wire, noticeMs = NOTICE_MS): void {
    if (wire.broken) return;
    wire.broken = true;
    this.#wires.delete(wire);
    this.#time.plan(wire.client.process, this.#random.between(0, noticeMs), wire.client.onBroken);
    this.#time.plan(wire.server.process, this.#random.between(0, noticeMs), () => wire.server.onBroken(wire));
  }

  #endAfterLast(wire: Wire): void {
    const lastMs = Math.max(wire.lastMs.toClient, wire.lastMs.toServer);
    this.#time.planAt(null, lastMs + 1, () => this.break(wire));
  }

  /** Ends the connection after everything that was sent has arrived. */
  finish(wire: Wire): void {
    wire.ending = true;
    this.#endAfterLast(wire);
  }

  #arrive(wire: Wire, direction: Direction, frames: Frames, atMs: number): void {
    const receiver = direction === 'toServer' ? wire.server.process : wire.client.process;
    this.#time.planAt(receiver, atMs, () => {
      if (wire.broken) return;
      const healsMs = this.#healsMs(wire.client.process, wire.server.process);
      if (healsMs > this.#time.nowMs) {
        this.#arrive(wire, direction, frames, healsMs);
        return;
      }
      if (direction === 'toServer') wire.server.onFrames(wire, frames);
      else wire.client.onFrames(frames);
    });
  }

  #latencyMs(): number {
    const { usualMs, slowMs, slowShare } = this.#latency;
    return this.#random.uniform() * (this.#random.chance(slowShare) ? slowMs : usualMs);
  }

  #between(a: SimulatedProcess, b: SimulatedProcess): Wire[] {
    return [...this.#wires].filter(
      ({ client, server }) =>
        (client.process === a && server.process === b) || (client.process === b && server.process === a),
    );
  }

  #healsMs(a: SimulatedProcess, b: SimulatedProcess): number {
    return this.#partitions.get(pairKey(a, b)) ?? 0;
  }

  #parted(a: SimulatedProcess, b: SimulatedProcess): boolean {
    return this.#healsMs(a, b) > this.#time.nowMs;
  }
}

function pairKey(a: SimulatedProcess, b: SimulatedProcess): string {
  return a.pid < b.pid ? `${a.pid} ${b.pid}` : `${b.pid} ${a.pid}`;
}
