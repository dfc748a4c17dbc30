/** The way to the next rank: messages go out one after the other, as fast as it takes them. */
import { Push } from 'zeromq';
import { coded, reasonOf } from '../../errors/errors.js';
import { addressOptions, DATA_SOCKET, HIGH_WATER_MARK } from './data-socket.js';

export class Outbox {
  readonly #socket: Push;
  /** Frames are made when their turn comes, so that waiting messages cost nothing. */
  #waiting: (() => Uint8Array[])[] = [];
  #running: Promise<void> | undefined;
  #bytes = 0;

  /** @throws ADDRESS_INVALID */
  constructor(endpoint: string) {
    this.#socket = new Push({
      ...DATA_SOCKET,
      ...addressOptions(endpoint),
      sendHighWaterMark: HIGH_WATER_MARK,
      immediate: true,
    });
    try {
      this.#socket.connect(endpoint);
    } catch (thrown) {
      this.#socket.close();
      throw coded('ADDRESS_INVALID', { address: endpoint, reason: reasonOf(thrown) });
    }
  }

  /** Handed over to ZeroMQ since the start. */
  get bytes(): number {
    return this.#bytes;
  }

  push(frames: () => Uint8Array[]): void {
    this.#waiting.push(frames);
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    // drained() reports a failure; without a listener until then Node would call it unhandled.
    this.#running.catch(() => undefined);
  }

  /** Resolves when everything has been handed over to ZeroMQ; rejects when the socket was closed before. */
  async drained(): Promise<void> {
    await this.#running;
  }

  /** Drops what ZeroMQ still holds (linger 0). */
  close(): void {
    this.#waiting = [];
    this.#socket.close();
  }

  async #run(): Promise<void> {
    for (let make = this.#waiting.shift(); make !== undefined; make = this.#waiting.shift()) {
      const frames = make();
      await this.#socket.send(frames);
      this.#bytes += frames.reduce((sum, frame) => sum + frame.byteLength, 0);
    }
  }
}
