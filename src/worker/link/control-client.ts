/** A worker's end of the control socket: one ZeroMQ DEALER that speaks the protocol and nothing else. */
import * as zmq from 'zeromq';
import { coded, reasonOf } from '../../shared/errors.js';
import { decode, encode, type Body, type Message, type MessageName } from '../../shared/protocol/codec.js';

// What is queued when a socket closes has its linger time; the process does not wait any longer at its end.
zmq.context.blocky = false;

export interface ControlClientEvents {
  onMessage(message: Message): void;
  onGarbage(reason: string): void;
}

export class ControlClient {
  readonly #socket: zmq.Dealer;
  readonly #events: ControlClientEvents;
  readonly #queue: Uint8Array[] = [];
  #pump: Promise<void> | null = null;
  #closed = false;
  readonly #receiving: Promise<void>;

  private constructor(socket: zmq.Dealer, events: ControlClientEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#receiving = this.#receive();
  }

  /** Connects (in the background, again and again) to tcp://HOST:PORT. @throws ADDRESS_INVALID */
  static connect(address: string, events: ControlClientEvents): ControlClient {
    const socket = new zmq.Dealer({
      linger: 0,
      sendHighWaterMark: 0,
      reconnectInterval: 100,
      reconnectMaxInterval: 2000,
      ipv6: address.includes('['),
    });
    try {
      socket.connect(address);
    } catch (error) {
      socket.close();
      throw coded('ADDRESS_INVALID', { address, reason: reasonOf(error) });
    }
    return new ControlClient(socket, events);
  }

  /** After `close` nothing is sent any more. */
  send<N extends MessageName>(name: N, body: Body<N>): void {
    if (this.#closed) return;
    this.#queue.push(encode(name, body));
    this.#pump ??= this.#drain();
  }

  /** Lets what is queued leave, for at most `lingerMs`, and closes. */
  async close(lingerMs: number): Promise<void> {
    await this.#pump;
    this.#closed = true;
    this.#socket.linger = lingerMs;
    this.#socket.close();
    await this.#receiving;
  }

  async #drain(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      await this.#socket.send(next);
    }
    this.#pump = null;
  }

  async #receive(): Promise<void> {
    try {
      for await (const frames of this.#socket) {
        const decoded =
          frames.length === 1 ? decode(frames[0]!) : { ok: false as const, reason: 'several frames' };
        if (decoded.ok) this.#events.onMessage(decoded.message);
        else this.#events.onGarbage(decoded.reason);
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }
}
