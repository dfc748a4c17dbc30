/**
 * Receives from the previous rank: gives out the messages of one all-reduce, and keeps or drops all others.
 */
import type { Clock } from '../../host/clock.js';
import type { RingReceiver } from '../../host/network.js';
import { comparePositions, parseSegmentMessage, type Position } from './segment-header.js';
import { EarlyMessages, type SegmentMessage } from './early-messages.js';
import type { StallWatch } from './stall-watch.js';

export type DropReason = 'malformed' | 'unknown-peer' | 'stale' | 'unexpected' | 'duplicate' | 'checksum';

/**
 * Longest time until the event loop gets a turn, because control messages and heartbeats share the thread.
 */
const TURN_MS = 5;

/**
 * Between all-reduces nothing is read, so messages of a faster neighbour wait in ZeroMQ and then in the
 * neighbour. During an all-reduce, a message of a later one arrives only if the ring has changed, and the new
 * neighbour begins the new generation before this rank has given up the old one.
 */
export class Inbox {
  readonly #receiver: Pick<RingReceiver, 'receive'>;
  readonly #clock: Clock;
  readonly #runToken: bigint;
  readonly #early: EarlyMessages;
  readonly #drops = new Map<DropReason, number>();
  #ready: SegmentMessage[] = [];
  /** A receive() cannot be cancelled, so one that an aborted all-reduce left behind serves the next. */
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

  /** Whether reading has stopped until the current all-reduce is aborted. */
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
      // The messages that are still missing come after messages of a newer generation, so this all-reduce will
      // be aborted. Dropping the newer messages would stall the new generation. So reading stops until then.
      if (this.full) throw await watch.stopped;
    }
  }

  async #receive(watch: StallWatch): Promise<readonly Uint8Array[]> {
    if (this.#receiving === undefined) {
      this.#receiving = this.#receiver.receive();
      // When the socket is closed, nobody may be waiting any more.
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
    // Not the Buffer itself, because its subarray() is several times slower.
    const bytes = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
    return { header: parsed.header, payload: bytes };
  }
}
