/**
 * The coordinator's end of the control sockets: one ZeroMQ ROUTER that accepts only messages of the protocol.
 */
import * as zmq from 'zeromq';
import { coded, reasonOf } from '../../errors/errors.js';
import { decode, encode, type Body, type MessageName } from '../../wire/codec.js';
import type { ControlEvents, ControlListener } from '../network.js';

/** Larger than any control message. A peer that sends a larger frame loses its connection. */
const MAX_MESSAGE_BYTES = 64 * 2 ** 20;

/**
 * ZeroMQ reports a closed connection a moment before its socket knows of it, and until then takes messages to
 * that peer. How long that moment is depends on its I/O thread.
 */
const TOLD_AGAIN_MS = [0, 10, 100, 1000];

interface Outgoing {
  readonly peer: string;
  readonly bytes: Uint8Array;
}

export class ControlServer implements ControlListener {
  /** The address where workers connect, with the actual port. */
  readonly address: string;
  readonly #socket: zmq.Router;
  readonly #events: ControlEvents;
  readonly #queue: Outgoing[] = [];
  #pumping = false;
  #closed = false;
  readonly #receiving: Promise<void>;

  private constructor(socket: zmq.Router, address: string, events: ControlEvents) {
    this.#socket = socket;
    this.address = address;
    this.#events = events;
    socket.events.on('disconnect', () => this.#tellOfDisconnect());
    this.#receiving = this.#receive();
  }

  /**
   * Listens on `address` (tcp://HOST:PORT, port 0 for a free one).
   * @throws PORT_IN_USE, ADDRESS_INVALID
   */
  static async listen(address: string, events: ControlEvents): Promise<ControlServer> {
    const socket = new zmq.Router({
      // Without this option, a message to a peer that is gone would vanish silently.
      mandatory: true,
      linger: 0,
      maxMessageSize: MAX_MESSAGE_BYTES,
      // The protocol limits how many messages are under way to a peer. With a high-water mark, one slow peer
      // would block all.
      sendHighWaterMark: 0,
      // Any other value makes a send wait while there is no peer, and everything that is queued waits with it.
      sendTimeout: 0,
      ipv6: address.includes('['),
    });
    try {
      await socket.bind(address.replace(/:0$/, ':*'));
    } catch (error) {
      socket.close();
      const reason = reasonOf(error);
      const busy = (error as { code?: string }).code === 'EADDRINUSE';
      throw coded(busy ? 'PORT_IN_USE' : 'ADDRESS_INVALID', { address, reason });
    }
    return new ControlServer(socket, socket.lastEndpoint ?? address, events);
  }

  /** Queues a message; messages to one peer arrive in order. */
  send<N extends MessageName>(peer: string, name: N, body: Body<N>): void {
    this.#queue.push({ peer, bytes: encode(name, body) });
    if (!this.#pumping) void this.#pump();
  }

  /** Hands queued messages over for at most `timeoutMs`, and closes. */
  async close(timeoutMs = 1000): Promise<void> {
    if (this.#closed) return;
    const deadline = performance.now() + timeoutMs;
    while (this.#pumping && performance.now() < deadline) await new Promise((r) => setTimeout(r, 5));
    this.#closed = true;
    // The messages are handed to ZeroMQ's I/O thread but perhaps not sent, so they get some time to leave.
    this.#socket.linger = timeoutMs;
    this.#socket.close();
    await this.#receiving;
  }

  #tellOfDisconnect(): void {
    for (const afterMs of TOLD_AGAIN_MS) {
      const timer = setTimeout(() => {
        if (!this.#closed) this.#guarded(() => this.#events.onDisconnect());
      }, afterMs);
      timer.unref();
    }
  }

  /** Sends one message after the other, because ZeroMQ allows only one pending send for a socket. */
  async #pump(): Promise<void> {
    this.#pumping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        if (this.#closed) break;
        await this.#hand(next);
      }
    } finally {
      this.#pumping = false;
    }
  }

  async #hand({ peer, bytes }: Outgoing): Promise<void> {
    try {
      await this.#socket.send([Buffer.from(peer, 'hex'), bytes]);
    } catch (error) {
      if (this.#closed) return;
      if ((error as { code?: string }).code !== 'EHOSTUNREACH') this.#events.onFailure(error);
      else this.#guarded(() => this.#events.onUnreachable(peer));
    }
  }

  async #receive(): Promise<void> {
    try {
      for await (const [identity, ...frames] of this.#socket) this.#handle(identity!.toString('hex'), frames);
    } catch (error) {
      if (!this.#closed) this.#events.onFailure(error);
    }
  }

  #handle(peer: string, frames: readonly Buffer[]): void {
    const decoded =
      frames.length === 1 ? decode(frames[0]!) : { ok: false as const, reason: `${frames.length} frames` };
    this.#guarded(() => {
      if (decoded.ok) this.#events.onMessage(peer, decoded.message);
      else this.#events.onGarbage(peer, decoded.reason);
    });
  }

  #guarded(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#events.onFailure(error);
    }
  }
}
