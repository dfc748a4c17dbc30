/**
 * The ring's sockets over simulated connections, with a bounded queue on each side. Frames are read some time
 * after they were sent.
 */
import type { RingReceiver, RingSender } from '../host/network.js';
import type { SimulatedProcess } from './simulated-process.js';
import type { SimulatedRandom } from './simulated-random.js';
import type { Frames, Wire, WireFabric, WireServer } from './simulated-wire.js';

/** The most messages that wait on both sides of a connection together. */
const MOST_UNREAD = 16;
/** The longest time for which a frame stays in the sender's memory. */
const LEAVE_MS = 3;
/** zeromq.js copies smaller frames when they are sent. */
const COPIED_BYTES = 128;

const CLOSED = 'the socket was closed';

/** Called when a message was read, because the sender may wait for that. */
const readers = new WeakMap<Wire, () => void>();

export function simulatedRingReceiver(
  fabric: WireFabric,
  process: SimulatedProcess,
  endpoint: string,
): RingReceiver {
  const unread: { readonly wire: Wire; readonly frames: Frames }[] = [];
  let waiting: { resolve: (frames: Frames) => void; reject: (error: Error) => void } | null = null;
  let closed = false;
  const take = (): Frames => {
    const { wire, frames } = unread.shift()!;
    readers.get(wire)?.();
    return frames;
  };
  const server: WireServer = {
    process,
    onFrames: (wire, frames) => {
      unread.push({ wire, frames });
      const reader = waiting;
      waiting = null;
      reader?.resolve(take());
    },
    onBroken: () => undefined,
  };
  fabric.serve(endpoint, server);
  return {
    endpoint,
    receive: async () => {
      if (closed) throw new Error(CLOSED);
      if (unread.length > 0) return take();
      return new Promise<Frames>((resolve, reject) => (waiting = { resolve, reject }));
    },
    close: () => {
      closed = true;
      fabric.withdraw(endpoint, server);
      waiting?.reject(new Error(CLOSED));
      waiting = null;
    },
  };
}

/**
 * The connection to the next rank. If it breaks, messages that were handed over are lost, and it connects
 * again.
 */
export class RingPipe implements RingSender {
  readonly #fabric: WireFabric;
  readonly #random: SimulatedRandom;
  readonly #spoil: (payload: Uint8Array) => Uint8Array;
  #wire: Wire | null = null;
  #unread = 0;
  #closed = false;
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;

  /** @param spoil returns the payload that arrives in place of the one that was sent */
  constructor(
    fabric: WireFabric,
    random: SimulatedRandom,
    process: SimulatedProcess,
    endpoint: string,
    spoil: (payload: Uint8Array) => Uint8Array,
  ) {
    this.#spoil = spoil;
    this.#fabric = fabric;
    this.#random = random;
    const client = {
      process,
      onOpen: (wire: Wire): void => {
        this.#wire = wire;
        this.#unread = 0;
        readers.set(wire, () => {
          this.#unread--;
          this.#letGo();
        });
        this.#letGo();
      },
      onFrames: () => undefined,
      onBroken: (): void => {
        this.#wire = null;
        if (!this.#closed) fabric.connect(endpoint, client, () => this.#closed, 100);
      },
    };
    fabric.connect(endpoint, client, () => this.#closed);
  }

  async send(frames: Frames): Promise<void> {
    if (!this.#closed && (this.#wire?.broken !== false || this.#unread >= MOST_UNREAD)) {
      await new Promise<void>((resolve, reject) => (this.#waiting = { resolve, reject }));
    }
    if (this.#closed) throw new Error(CLOSED);
    const wire = this.#wire;
    if (wire?.broken !== false) return;
    this.#unread++;
    const kept = frames.map((frame) => {
      if (frame === frames.at(-1)) return this.#spoil(frame);
      return frame.length < COPIED_BYTES ? Uint8Array.from(frame) : frame;
    });
    this.#fabric.transmit(wire, 'toServer', kept, this.#random.between(0.01, LEAVE_MS));
  }

  close(): void {
    this.#closed = true;
    if (this.#wire !== null) this.#fabric.break(this.#wire);
    this.#waiting?.reject(new Error(CLOSED));
    this.#waiting = null;
  }

  #letGo(): void {
    if (this.#wire?.broken !== false || this.#unread >= MOST_UNREAD) return;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve();
  }
}
