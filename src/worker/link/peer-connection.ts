/** A connection to the state server of another worker: requests go out one after the other, answers come back. */
import * as zmq from 'zeromq';
import { coded, reasonOf } from '../../shared/errors.js';
import { decode, type Message } from '../../shared/protocol/codec.js';
import { addressOptions, DATA_SOCKET } from '../collective/data-socket.js';

export class PeerConnection {
  readonly #socket: zmq.Dealer;
  /** A send that waits when the socket is closed never ends: the queue ends with its socket. */
  readonly #queue: Uint8Array[] = [];
  #sending = false;
  #closed = false;

  /** @throws ADDRESS_INVALID */
  constructor(endpoint: string, onMessage: (message: Message) => void) {
    this.#socket = new zmq.Dealer({ ...DATA_SOCKET, ...addressOptions(endpoint), sendHighWaterMark: 0 });
    try {
      this.#socket.connect(endpoint);
    } catch (thrown) {
      this.#socket.close();
      throw coded('ADDRESS_INVALID', { address: endpoint, reason: reasonOf(thrown) });
    }
    void this.#receive(onMessage);
  }

  send(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    if (!this.#sending) void this.#drain();
  }

  close(): void {
    this.#closed = true;
    this.#queue.length = 0;
    this.#socket.close();
  }

  async #drain(): Promise<void> {
    this.#sending = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        await this.#socket.send(next);
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
    this.#sending = false;
  }

  async #receive(onMessage: (message: Message) => void): Promise<void> {
    try {
      for await (const [frame] of this.#socket) {
        const decoded = frame === undefined ? null : decode(frame);
        if (!this.#closed && decoded?.ok === true) onMessage(decoded.message);
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }
}
