/** Gives this worker's state to other workers of the run: one ZeroMQ ROUTER, asked piece by piece. */
import * as zmq from 'zeromq';
import { faultPoint } from '../../host/fault-injection.js';
import { decode, encode, type Body } from '../../wire/codec.js';
import { noChunk, stateChunk } from '../../wire/state-pull.js';
import { PartDigests, type Offer } from './part-digests.js';
import { bindTcp, tcpAddress, type BoundTo } from '../../collective/ring/bound-address.js';
import { addressOptions, DATA_SOCKET } from '../../collective/ring/data-socket.js';

/** Requests are small; a larger frame, from an unknown peer, closes its connection. */
const MAX_REQUEST_BYTES = 4096;

export class StateServer {
  readonly endpoint: string;
  readonly #socket: zmq.Router;
  readonly #runToken: string;
  readonly #offer: Offer;
  readonly #digests: PartDigests;
  #closed = false;
  /** A socket takes one message at a time. */
  #sent: Promise<void> = Promise.resolve();
  readonly #serving: Promise<void>;

  private constructor(
    socket: zmq.Router,
    endpoint: string,
    runToken: string,
    offer: Offer,
    digests: PartDigests,
  ) {
    this.#socket = socket;
    this.endpoint = endpoint;
    this.#runToken = runToken;
    this.#offer = offer;
    this.#digests = digests;
    this.#serving = this.#serve();
  }

  /** @throws ADDRESS_INVALID, PORT_IN_USE */
  static async listen(
    where: BoundTo,
    runToken: string,
    offer: Offer,
    digests = new PartDigests(offer),
  ): Promise<StateServer> {
    const maxMessageSize = MAX_REQUEST_BYTES;
    const socket = new zmq.Router({
      ...DATA_SOCKET,
      ...addressOptions(tcpAddress(where.host)),
      maxMessageSize,
      sendHighWaterMark: 0,
    });
    try {
      const endpoint = await bindTcp(socket, where);
      return new StateServer(socket, endpoint, runToken, offer, digests);
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
        if (frame !== undefined) this.#answer(identity!, frame);
        await this.#sent;
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  #answer(identity: Buffer, frame: Buffer): void {
    const decoded = decode(frame);
    if (!decoded.ok) return;
    const { name, body } = decoded.message;
    if (name === 'stateRequest' && body.runToken === this.#runToken) {
      faultPoint('state-serve', body.step);
      const bytes = this.#offer(body.part, body.step);
      this.#send(
        identity,
        encode('stateChunk', bytes === undefined ? noChunk(body) : stateChunk(body, bytes)),
      );
    }
    if (name === 'partDigestRequest' && body.runToken === this.#runToken) {
      // Chunks go out meanwhile: a large part takes seconds.
      void this.#tellDigest(identity, body);
    }
  }

  async #tellDigest(identity: Buffer, { transfer, part, step }: Body<'partDigestRequest'>): Promise<void> {
    const sha256 = await this.#digests.of(part, step);
    const unavailable = sha256 === undefined;
    this.#send(
      identity,
      encode('partDigestReply', { transfer, part, sha256: sha256 ?? new Uint8Array(0), unavailable }),
    );
  }

  #send(identity: Buffer, reply: Uint8Array): void {
    this.#sent = this.#sent
      .then(async () => this.#socket.send([identity, reply]))
      .catch((error: unknown) => {
        // A taker that is gone is dropped by the socket itself.
        if (!this.#closed) throw error;
      });
  }
}
