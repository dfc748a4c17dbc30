/**
 * The sockets of a run over simulated connections. They behave as ZeroMQ's do, with queues, silent drops, and
 * reads from the sender's memory after a send.
 */
import { coded } from '../errors/errors.js';
import type {
  Connection,
  ControlEvents,
  ControlListener,
  CoordinatorNetwork,
  QuestionListener,
  Reply,
  RingReceiver,
  RingSender,
  WorkerNetwork,
} from '../host/network.js';
import { decode, encode, type Body, type Message, type MessageName } from '../wire/codec.js';
import type { SimulatedProcess } from './simulated-process.js';
import type { SimulatedRandom } from './simulated-random.js';
import { RingPipe, simulatedRingReceiver } from './simulated-ring.js';
import type { Frames, Wire, WireFabric, WireServer } from './simulated-wire.js';
import type { VirtualTime } from './virtual-time.js';

export interface NetworkWatcher {
  /**
   * Called before a message leaves a process.
   * @param peer the connection, by the name by which a listener knows it; empty if it has none
   * @returns the message that is sent in its place
   */
  onSend(from: SimulatedProcess, name: MessageName, body: unknown, peer: string): unknown;
}

const FIRST_PORT = 20_000;

export class SimulatedNetwork {
  readonly fabric: WireFabric;
  readonly #time: VirtualTime;
  readonly #random: SimulatedRandom;
  readonly #watcher: NetworkWatcher;
  #ports = FIRST_PORT;
  /** How many of the next messages are replaced by noise. */
  #noise = 0;
  readonly #noisy = new WeakSet<Frames>();
  /** The kind of message that will arrive with a changed byte. */
  readonly #spoilt = { ring: 0, state: 0 };

  constructor(time: VirtualTime, fabric: WireFabric, random: SimulatedRandom, watcher: NetworkWatcher) {
    this.#time = time;
    this.fabric = fabric;
    this.#random = random;
    this.#watcher = watcher;
  }

  /** Replaces the next message by noise. */
  corruptNext(): void {
    this.#noise++;
  }

  /** The next segment of an all-reduce, or chunk of a state, arrives with a changed byte. */
  spoilNext(what: 'ring' | 'state'): void {
    this.#spoilt[what]++;
  }

  of(process: SimulatedProcess): CoordinatorNetwork & WorkerNetwork {
    return {
      listenControl: async (address, events) => this.#listenControl(process, address, events),
      connectControl: (address, onMessage) => this.#connect(process, address, onMessage),
      connectQuestions: (endpoint, onMessage) => this.#connect(process, endpoint, onMessage),
      listenQuestions: async (where, onQuestion) => this.#listenQuestions(process, where.host, onQuestion),
      listenRing: async (_transport, where) =>
        Promise.resolve(this.#listenRing(process, `tcp://${where.host}:${this.#ports++}`)),
      connectRing: (endpoint) => this.#connectRing(process, endpoint),
    };
  }

  #frames<N extends MessageName>(from: SimulatedProcess, name: N, body: Body<N>, peer = ''): Frames {
    from.operates();
    const said = this.#watcher.onSend(from, name, body, peer) as Body<N>;
    const arrives = name === 'stateChunk' ? this.#piece(said as Body<'stateChunk'>) : said;
    const bytes = encode(name, arrives as Body<N>);
    if (this.#noise === 0) return [bytes];
    this.#noise--;
    const noise: Frames = [Uint8Array.from(bytes, () => this.#random.below(256))];
    this.#noisy.add(noise);
    return noise;
  }

  /** A chunk of a state as it arrives. */
  #piece(chunk: Body<'stateChunk'>): Body<'stateChunk'> {
    return { ...chunk, data: this.#spoil('state', chunk.data) };
  }

  /** `bytes`, or changed ones if a fault says so. */
  #spoil(what: 'ring' | 'state', bytes: Uint8Array): Uint8Array {
    if (this.#spoilt[what] === 0 || bytes.length === 0) return bytes;
    this.#spoilt[what]--;
    const copy = Uint8Array.from(bytes);
    copy[this.#random.below(copy.length)]! ^= 1 + this.#random.below(255);
    return copy;
  }

  /**
   * TCP does not deliver damaged bytes. So noise means that one end is broken, and the connection ends with
   * it.
   */
  #transmit(wire: Wire, direction: 'toServer' | 'toClient', frames: Frames): void {
    this.fabric.transmit(wire, direction, frames);
    if (this.#noisy.has(frames)) this.fabric.finish(wire);
  }

  async #listenControl(
    process: SimulatedProcess,
    asked: string,
    events: ControlEvents,
  ): Promise<ControlListener> {
    await Promise.resolve();
    const address = asked.endsWith(':0') ? asked.replace(/0$/, String(this.#ports++)) : asked;
    const wires = new Map<string, Wire>();
    const guarded = (handle: () => void): void => {
      try {
        handle();
      } catch (error) {
        events.onFailure(error);
      }
    };
    const server: WireServer = {
      process,
      onFrames: (wire, frames) => {
        const peer = peerOf(wire);
        wires.set(peer, wire);
        const decoded = decode(frames[0]!);
        guarded(() => {
          if (decoded.ok) events.onMessage(peer, decoded.message);
          else events.onGarbage(peer, decoded.reason);
        });
      },
      // ZeroMQ does not say whose connection is gone.
      onBroken: () => guarded(() => events.onDisconnect()),
    };
    if (!this.fabric.serve(address, server)) throw coded('PORT_IN_USE', { address, reason: 'in use' });
    return {
      address,
      send: (peer, name, body) => {
        const wire = wires.get(peer);
        if (wire?.broken === false) {
          this.#transmit(wire, 'toClient', this.#frames(process, name, body, peer));
        } else this.#time.plan(process, 0, () => guarded(() => events.onUnreachable(peer)));
      },
      close: async () => {
        this.fabric.withdraw(address, server);
        await new Promise<void>((resolve) => this.#time.plan(process, 5, resolve));
      },
    };
  }

  #connect(process: SimulatedProcess, address: string, onMessage: (message: Message) => void): Connection {
    const queue: Frames[] = [];
    let wire: Wire | null = null;
    let closed = false;
    const client = {
      process,
      onOpen: (opened: Wire) => {
        if (closed) return;
        wire = opened;
        for (const frames of queue.splice(0)) this.#transmit(opened, 'toServer', frames);
      },
      onFrames: (frames: Frames) => {
        const decoded = decode(frames[0]!);
        if (!closed && decoded.ok) onMessage(decoded.message);
      },
      onBroken: () => {
        wire = null;
        if (!closed) this.fabric.connect(address, client, () => closed, 100);
      },
    };
    this.fabric.connect(address, client, () => closed);
    const close = (): void => {
      closed = true;
      queue.length = 0;
      if (wire !== null) this.fabric.break(wire);
    };
    return {
      send: (name, body) => {
        if (closed) return;
        const frames = this.#frames(process, name, body);
        if (wire?.broken === false) this.#transmit(wire, 'toServer', frames);
        else queue.push(frames);
      },
      close,
      finish: async (lingerMs) => {
        closed = true;
        if (wire !== null) this.fabric.finish(wire);
        await new Promise<void>((resolve) => this.#time.plan(process, Math.min(lingerMs, 5), resolve));
      },
    };
  }

  async #listenQuestions(
    process: SimulatedProcess,
    host: string,
    onQuestion: (message: Message, reply: Reply) => void,
  ): Promise<QuestionListener> {
    await Promise.resolve();
    const endpoint = `tcp://${host}:${this.#ports++}`;
    const server: WireServer = {
      process,
      onFrames: (wire, frames) => {
        const decoded = decode(frames[0]!);
        if (!decoded.ok) return;
        onQuestion(decoded.message, (name, body) => {
          if (!wire.broken) this.#transmit(wire, 'toClient', this.#frames(process, name, body));
        });
      },
      onBroken: () => undefined,
    };
    this.fabric.serve(endpoint, server);
    return {
      endpoint,
      close: async () => {
        this.fabric.withdraw(endpoint, server);
        await Promise.resolve();
      },
    };
  }

  #listenRing(process: SimulatedProcess, endpoint: string): RingReceiver {
    return simulatedRingReceiver(this.fabric, process, endpoint);
  }

  #connectRing(process: SimulatedProcess, endpoint: string): RingSender {
    return new RingPipe(this.fabric, this.#random, process, endpoint, (bytes) => this.#spoil('ring', bytes));
  }
}

function peerOf({ id }: Wire): string {
  return id.toString(16).padStart(8, '0');
}
