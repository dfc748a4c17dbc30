/** A connection that speaks the protocol and nothing else: one ZeroMQ DEALER, one message a frame. */
import * as zmq from 'zeromq';
import { coded, reasonOf } from '../../errors/errors.js';
import { decode, encode, type Body, type Message, type MessageName } from '../../wire/codec.js';
import type { Connection } from '../network.js';

// What is queued when a socket closes has its linger time; the process does not wait any longer at its end.
zmq.context.blocky = false;

export class DealerConnection implements Connection {
  readonly #socket: zmq.Dealer;
  readonly #onMessage: (message: Message) => void;
  /** A send that waits when the socket is closed never ends: the queue ends with its socket. */
  readonly #queue: Uint8Array[] = [];
  #pump: Promise<void> | null = null;
  #closed = false;
  readonly #receiving: Promise<void>;

  /**
   * Connects in the background, again and again, to tcp://HOST:PORT.
   * @param onMessage what is no message of the protocol is left out: it is not for us
   * @throws ADDRESS_INVALID
   */
  constructor(
    address: string,
    options: zmq.SocketOptions<zmq.Dealer>,
    onMessage: (message: Message) => void,
  ) {
    this.#socket = new zmq.Dealer({ linger: 0, sendHighWaterMark: 0, ...options });
    try {
      this.#socket.connect(address);
    } catch (thrown) {
      this.#socket.close();
      throw coded('ADDRESS_INVALID', { address, reason: reasonOf(thrown) });
    }
    this.#onMessage = onMessage;
    this.#receiving = this.#receive();
  }

  /** After it is closed nothing is sent any more. */
  send<N extends MessageName>(name: N, body: Body<N>): void {
    if (this.#closed) return;
    this.#queue.push(encode(name, body));
    this.#pump ??= this.#drain();
  }

  /** Drops what is queued. */
  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#socket.close();
  }

  /** Lets what is queued leave, for at most `lingerMs`, and closes. */
  async finish(lingerMs: number): Promise<void> {
    await this.#pump;
    this.#socket.linger = lingerMs;
    this.close();
    await this.#receiving;
  }

  async #drain(): Promise<void> {
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        await this.#socket.send(next);
      }
    } catch (error) {
      if (!this.#closed) throw error;
    } finally {
      this.#pump = null;
    }
  }

  async #receive(): Promise<void> {
    try {
      for await (const frames of this.#socket) {
        const decoded = frames.length === 1 ? decode(frames[0]!) : null;
        if (!this.#closed && decoded?.ok === true) this.#onMessage(decoded.message);
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }
}
