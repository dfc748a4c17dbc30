/** The way from the previous rank: hands out the messages of one all-reduce and sorts out all others. */
import type { Clock } from '../../host/clock.js';
import type { RingReceiver } from '../../host/network.js';
import { comparePositions, parseSegmentMessage, type Position } from './segment-header.js';
import { EarlyMessages, type SegmentMessage } from './early-messages.js';
import type { StallWatch } from './stall-watch.js';

export type DropReason = 'malformed' | 'unknown-peer' | 'stale' | 'unexpected' | 'duplicate' | 'checksum';

/** Longest time between two turns of the event loop: control messages and heartbeats share the thread. */
const TURN_MS = 5;

/**
 * Between all-reduces nothing is read: what a faster neighbour sends waits in ZeroMQ and then in the neighbour.
 * So a later message comes up during an all-reduce only where the ring has changed, when the new neighbour
 * begins the new generation before this rank has given up the old one.
 */
export class Inbox {
  readonly #receiver: Pick<RingReceiver, 'receive'>;
  readonly #clock: Clock;
  readonly #runToken: bigint;
  readonly #early: EarlyMessages;
  readonly #drops = new Map<DropReason, number>();
  #ready: SegmentMessage[] = [];
  /** A receive() cannot be taken back: one that an aborted all-reduce left behind serves the next. */
  #receiving: Promise<readonly Uint8Array[]> | undefined;
  #turnMs = 0;

  constructor(
    receiver: Pick<RingReceiver, 'receive'>,
    runToken: bigint,
    clock: Clock,
    early = new EarlyMessages(),
  ) {
    this.#receiver = receiver;
    this.#clock = clock;
    this.#runToken = runToken;
    this.#early = early;
  }

  get drops(): ReadonlyMap<DropReason, number> {
    return this.#drops;
  }

  /** Reading has stopped until the all-reduce under way is called off. */
  get full(): boolean {
    return this.#early.full;
  }

  get dropped(): number {
    return [...this.#drops.values()].reduce((sum, count) => sum + count, 0);
  }

  drop(reason: DropReason, count = 1): void {
    if (count > 0) this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + count);
  }

  /** From now on next() gives the messages of `position`. */
  begin(position: Position): void {
    const { messages, stale } = this.#early.take(position);
    this.#ready = messages;
    this.drop('stale', stale);
    this.#turnMs = this.#clock.now();
  }

  /** The next message of `position`. @throws the reason for which `watch` stops */
  async next(position: Position, watch: StallWatch): Promise<SegmentMessage> {
    for (;;) {
      if (this.#clock.now() - this.#turnMs > TURN_MS) {
        await this.#clock.turn();
        this.#turnMs = this.#clock.now();
      }
      if (watch.error !== undefined) throw watch.error;
      const ready = this.#ready.shift();
      if (ready !== undefined) return ready;
      const message = this.#judge(await this.#receive(watch));
      if (message === undefined) continue;
      const order = comparePositions(message.header, position);
      if (order === 0) return message;
      if (order < 0) this.drop('stale');
      else this.#early.keep(message);
      // What is still missing here sits behind messages of a generation that others have begun: it will be called
      // off. Dropping those would stall the new generation, so stop reading until then.
      if (this.full) throw await watch.stopped;
    }
  }

  async #receive(watch: StallWatch): Promise<readonly Uint8Array[]> {
    if (this.#receiving === undefined) {
      this.#receiving = this.#receiver.receive();
      // Nobody may be waiting any more when the socket is closed.
      this.#receiving.catch(() => undefined);
    }
    const received = await Promise.race([this.#receiving, watch.stopped]);
    if (received instanceof Error) throw received;
    this.#receiving = undefined;
    return received;
  }

  #judge(frames: readonly Uint8Array[]): SegmentMessage | undefined {
    const parsed = parseSegmentMessage(frames);
    if ('reason' in parsed) {
      this.drop('malformed');
      return undefined;
    }
    if (parsed.header.runToken !== this.#runToken) {
      this.drop('unknown-peer');
      return undefined;
    }
    const payload = frames[1]!;
    // Not the Buffer itself: its subarray() is several times as slow.
    const bytes = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
    return { header: parsed.header, payload: bytes };
  }
}
