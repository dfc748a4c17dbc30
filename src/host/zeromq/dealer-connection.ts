/** A connection that accepts only messages of the protocol: one ZeroMQ DEALER, one message in each frame. */
import * as zmq from 'zeromq';
import { coded, reasonOf } from '../../errors/errors.js';
import { decode, encode, type Body, type Message, type MessageName } from '../../wire/codec.js';
import type { Connection } from '../network.js';

// Messages that are queued when a socket closes have its linger time. The process does not wait longer when it
// ends.
zmq.context.blocky = false;

export class DealerConnection implements Connection {
  readonly #socket: zmq.Dealer;
  readonly #onMessage: (message: Message) => void;
  /** A pending send never ends after its socket is closed, so each socket has a queue of its own. */
  readonly #queue: Uint8Array[] = [];
  #pump: Promise<void> | null = null;
  #closed = false;
  readonly #receiving: Promise<void>;

  /**
   * Connects in the background, again and again, to tcp://HOST:PORT.
   * @param onMessage is not called for anything that is no message of the protocol
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

  /** Does nothing after the connection was closed. */
  send<N extends MessageName>(name: N, body: Body<N>): void {
    if (this.#closed) return;
    this.#queue.push(encode(name, body));
    this.#pump ??= this.#drain();
  }

  /** Closes, and drops queued messages. */
  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#socket.close();
  }

  /** Closes, and gives queued messages up to `lingerMs` to leave. */
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
