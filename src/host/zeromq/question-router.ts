/** The socket to which other workers send their requests for state: one ZeroMQ ROUTER. */
import * as zmq from 'zeromq';
import { decode, encode, type Message } from '../../wire/codec.js';
import type { BoundTo, QuestionListener, Reply } from '../network.js';
import { bindTcp, tcpAddress } from './bound-address.js';
import { addressOptions, DATA_SOCKET } from './ring-sockets.js';

/** Requests are small. A peer that sends a larger frame loses its connection. */
const MAX_QUESTION_BYTES = 4096;

type OnQuestion = (message: Message, reply: Reply) => void;

export class QuestionRouter implements QuestionListener {
  readonly endpoint: string;
  readonly #socket: zmq.Router;
  readonly #onQuestion: OnQuestion;
  #closed = false;
  /** Answers that wait, because a socket sends one message at a time. */
  #sent: Promise<void> = Promise.resolve();
  readonly #serving: Promise<void>;

  private constructor(socket: zmq.Router, endpoint: string, onQuestion: OnQuestion) {
    this.#socket = socket;
    this.endpoint = endpoint;
    this.#onQuestion = onQuestion;
    this.#serving = this.#serve();
  }

  /** @throws ADDRESS_INVALID, PORT_IN_USE */
  static async listen(where: BoundTo, onQuestion: OnQuestion): Promise<QuestionRouter> {
    const socket = new zmq.Router({
      ...DATA_SOCKET,
      ...addressOptions(tcpAddress(where.host)),
      maxMessageSize: MAX_QUESTION_BYTES,
      sendHighWaterMark: 0,
    });
    try {
      return new QuestionRouter(socket, await bindTcp(socket, where), onQuestion);
    } catch (thrown) {
      socket.close();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#socket.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    try {
      for await (const [identity, frame] of this.#socket) {
        const decoded = frame === undefined ? null : decode(frame);
        if (decoded?.ok === true) {
          this.#onQuestion(decoded.message, (name, body) => this.#send(identity!, encode(name, body)));
        }
        await this.#sent;
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  #send(identity: Buffer, reply: Uint8Array): void {
    this.#sent = this.#sent
      .then(async () => this.#socket.send([identity, reply]))
      .catch((error: unknown) => {
        // The socket itself drops messages to a peer that is gone.
        if (!this.#closed) throw error;
      });
  }
}
