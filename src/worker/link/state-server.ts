/** Gives this worker's state to other workers of the run: one ZeroMQ ROUTER, asked piece by piece. */
import * as zmq from 'zeromq';
import { piecewiseDigest } from '../../shared/checkpoint/piecewise-digest.js';
import { coded, reasonOf } from '../../shared/errors.js';
import { faultPoint } from '../../shared/fault-injection.js';
import { decode, encode, type Body } from '../../shared/protocol/codec.js';
import { noChunk, stateChunk } from '../../shared/protocol/state-pull.js';
import { addressOptions, DATA_SOCKET, tcpAddress } from '../collective/data-socket.js';

/** Requests are small; a stranger's larger frame closes its connection. */
const MAX_REQUEST_BYTES = 4096;

/** The bytes of a part of the state after `step` steps; undefined where that is not what this worker holds now. */
export type Offer = (part: string, step: number) => Uint8Array | undefined;

export class StateServer {
  readonly endpoint: string;
  readonly #socket: zmq.Router;
  readonly #runToken: string;
  readonly #offer: Offer;
  /** SHA-256 by part, of one step: several joiners ask for the same. */
  #digests: { readonly step: number; readonly byPart: Map<string, Uint8Array> } | null = null;
  #closed = false;
  readonly #serving: Promise<void>;

  private constructor(socket: zmq.Router, endpoint: string, runToken: string, offer: Offer) {
    this.#socket = socket;
    this.endpoint = endpoint;
    this.#runToken = runToken;
    this.#offer = offer;
    this.#serving = this.#serve();
  }

  /** @throws ADDRESS_INVALID, PORT_IN_USE */
  static async listen(host: string, runToken: string, offer: Offer): Promise<StateServer> {
    const address = tcpAddress(host);
    const maxMessageSize = MAX_REQUEST_BYTES;
    const socket = new zmq.Router({
      ...DATA_SOCKET,
      ...addressOptions(address),
      maxMessageSize,
      sendHighWaterMark: 0,
    });
    try {
      await socket.bind(address);
    } catch (thrown) {
      socket.close();
      throw coded('PORT_IN_USE', { address, reason: reasonOf(thrown) });
    }
    return new StateServer(socket, socket.lastEndpoint ?? address, runToken, offer);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#socket.close();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    try {
      for await (const [identity, frame] of this.#socket) {
        const reply = frame === undefined ? null : this.#answer(frame);
        if (reply !== null) await this.#socket.send([identity!, reply]);
      }
    } catch (error) {
      if (!this.#closed) throw error;
    }
  }

  #answer(frame: Buffer): Uint8Array | null {
    const decoded = decode(frame);
    if (!decoded.ok) return null;
    const { name, body } = decoded.message;
    if (name === 'stateRequest' && body.runToken === this.#runToken) {
      faultPoint('state-serve', body.step);
      const bytes = this.#offer(body.part, body.step);
      return encode('stateChunk', bytes === undefined ? noChunk(body) : stateChunk(body, bytes));
    }
    if (name === 'partDigestRequest' && body.runToken === this.#runToken) {
      return encode('partDigestReply', this.#digest(body));
    }
    return null;
  }

  #digest({ transfer, part, step }: Body<'partDigestRequest'>): Body<'partDigestReply'> {
    const bytes = this.#offer(part, step);
    if (bytes === undefined) return { transfer, part, sha256: new Uint8Array(0), unavailable: true };
    if (this.#digests?.step !== step) this.#digests = { step, byPart: new Map() };
    const sha256 = this.#digests.byPart.get(part) ?? piecewiseDigest(bytes);
    this.#digests.byPart.set(part, sha256);
    return { transfer, part, sha256, unavailable: false };
  }
}
