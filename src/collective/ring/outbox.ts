/** Sends messages to the next rank one after the other, as fast as it takes them. */
import type { RingSender } from '../../host/network.js';

export class Outbox {
  readonly #sender: RingSender;
  /** Frames are made when their turn comes, so that waiting messages cost nothing. */
  #waiting: (() => Uint8Array[])[] = [];
  #running: Promise<void> | undefined;
  #bytes = 0;

  constructor(sender: RingSender) {
    this.#sender = sender;
  }

  /** Messages that were handed over since the start. */
  get bytes(): number {
    return this.#bytes;
  }

  push(frames: () => Uint8Array[]): void {
    this.#waiting.push(frames);
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    // drained() reports a failure. Without a listener until then, Node would call the rejection unhandled.
    this.#running.catch(() => undefined);
  }

  /** Resolves when everything has been handed over; rejects when the socket was closed before. */
  async drained(): Promise<void> {
    await this.#running;
  }

  /** Drops messages that have not left. */
  close(): void {
    this.#waiting = [];
    this.#sender.close();
  }

  async #run(): Promise<void> {
    for (let make = this.#waiting.shift(); make !== undefined; make = this.#waiting.shift()) {
      const frames = make();
      await this.#sender.send(frames);
      this.#bytes += frames.reduce((sum, frame) => sum + frame.byteLength, 0);
    }
  }
}
