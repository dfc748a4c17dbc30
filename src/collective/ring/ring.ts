/**
 * The ring all-reduce over ZeroMQ: PULL from the previous rank, PUSH to the next.
 *
 * Sending is zero-copy: ZeroMQ reads a segment from `mine` or `out` some time after send() has resolved. Why no
 * segment is written while it may still be read:
 * - `mine` is never written here. Its owner writes it only after the step's commit, or after a newer plan, by which a sum
 *   may grow. A commit needs the digest of every rank, hence that every rank has received all its messages, hence that
 *   everything we sent has been read. And if there is a newer plan, the older one is never committed.
 * - A segment of `out` is sent at most twice. As a partial sum: it is overwritten only by the final sum, which our
 *   partial sum is part of, so the next rank has read it. As a final sum: it is not written again until the next
 *   all-reduce into the same `out`, which comes after the commit, or after a failure; a failed all-reduce closes
 *   the socket, and what is still under way then belongs to a generation that nobody completes.
 * - Headers are below zeromq.js' limit of 128 bytes, so they are copied.
 *
 * Only one thread of a process may load zeromq.js (6.8). Its threads share one libzmq context, and a thread that
 * ends while that still holds a buffer it sent corrupts memory when the buffer is given back (8 of 8
 * experiments of 30 such threads failed); a thread that is alone waits for the context to end (150 of 150 were well).
 */
import { coded, reasonOf } from '../../errors/errors.js';
import { faultPoint } from '../../host/fault-injection.js';
import type { Clock } from '../../host/clock.js';
import type { BoundTo, RingReceiver, RingSockets, Transport } from '../../host/network.js';
import { HEADER_BYTES, type Position } from './segment-header.js';
import { Inbox, type DropReason } from './inbox.js';
import { Outbox } from './outbox.js';
import { MAX_SEGMENT_ELEMENTS, ringPlan } from './ring-plan.js';
import { checkVectors, internal, type ReduceRequest, type RingReport } from './reduce-request.js';
import { RingRound, type Outgoing } from './ring-round.js';
import { StallWatch } from './stall-watch.js';
import { nativeSum } from '../sums/native-sum.js';
import { plainSum, simdSum } from '../sums/sum.js';

export interface RingOptions {
  readonly transport: Transport;
  /** For tcp, where the previous rank connects to. Default: any port of 127.0.0.1. */
  readonly where?: BoundTo;
  /** 64 bits that only this run's workers know. */
  readonly runToken: bigint;
  /** At most MAX_SEGMENT_ELEMENTS (default), the same on every rank. */
  readonly segmentElements?: number;
}

/** The parts of the host that a ring uses. */
export interface RingHost {
  readonly clock: Clock;
  readonly network: RingSockets;
}

export interface RingMembership {
  /** Higher than any generation joined before. */
  readonly generation: number;
  readonly rank: number;
  readonly ranks: number;
  /** `endpoint` of rank + 1; not used when alone. */
  readonly nextEndpoint: string;
}

export class Ring {
  readonly #host: RingHost;
  readonly #receiver: RingReceiver;
  readonly #inbox: Inbox;
  readonly #runToken: bigint;
  readonly #segmentElements: number;
  readonly #sum = nativeSum() ?? simdSum() ?? plainSum;
  #generation = -1;
  #membership: RingMembership | undefined;
  /** Undefined when alone. */
  #outbox: Outbox | undefined;
  /** Of the all-reduce under way. */
  #watch: StallWatch | undefined;
  #received = 0;
  #closed = false;

  private constructor(host: RingHost, receiver: RingReceiver, options: RingOptions) {
    this.#host = host;
    this.#receiver = receiver;
    this.#inbox = new Inbox(receiver, options.runToken, host.clock);
    this.#runToken = options.runToken;
    this.#segmentElements = options.segmentElements ?? MAX_SEGMENT_ELEMENTS;
  }

  /** @throws ADDRESS_INVALID, PORT_IN_USE */
  static async open(host: RingHost, options: RingOptions): Promise<Ring> {
    const { transport, where = { host: '127.0.0.1' } } = options;
    // A frame of an unknown program must not make us allocate more than a segment.
    const receiver = await host.network.listenRing(transport, where, 4 * MAX_SEGMENT_ELEMENTS);
    return new Ring(host, receiver, options);
  }

  /** The address that the previous rank connects to. */
  get endpoint(): string {
    return this.#receiver.endpoint;
  }

  /** Messages that the current all-reduce, or the last one, has accepted. */
  get received(): number {
    return this.#received;
  }

  /** Messages dropped since the start, by reason. */
  get drops(): ReadonlyMap<DropReason, number> {
    return this.#inbox.drops;
  }

  /**
   * Joins the ring of a new generation. Messages that are still under way in the old one are lost.
   * @throws ADDRESS_INVALID
   */
  join(membership: RingMembership): void {
    const { generation, ranks, nextEndpoint } = membership;
    if (this.#closed) throw internal('join() of a closed ring');
    if (this.#watch !== undefined) throw internal('join() during an all-reduce: abort it first');
    if (generation <= this.#generation) {
      throw internal(`join() of generation ${generation} after ${this.#generation}`);
    }
    this.#leave();
    if (ranks > 1) this.#outbox = new Outbox(this.#host.network.connectRing(nextEndpoint));
    this.#membership = membership;
    this.#generation = generation;
  }

  /**
   * Sums `mine` over all ranks into `out`. Resolves when `out` is final and all messages are handed to ZeroMQ.
   * After a failure, a new generation must be joined.
   * @throws RING_TIMEOUT, RING_ABORTED
   */
  async reduce(request: ReduceRequest): Promise<RingReport> {
    if (this.#membership === undefined) throw internal('reduce() before join(), or after a failure');
    if (this.#watch !== undefined) throw internal('reduce() during an all-reduce');
    checkVectors(request);
    const { generation, rank, ranks } = this.#membership;
    const { step, round = 0, mine, out, kind } = request;
    const plan = ringPlan(rank, ranks, out.length, this.#segmentElements);
    const position = { generation, step, round };
    const work = new RingRound({ plan, position, runToken: this.#runToken, kind, mine, out, sum: this.#sum });
    const watch = startWatch(this.#host.clock, position, work, request);
    this.#watch = watch;
    this.#received = 0;
    try {
      if (watch.error !== undefined) throw watch.error;
      if (this.#outbox !== undefined) return await this.#exchange(work, position, this.#outbox, watch);
      const startMs = this.#host.clock.now();
      out.set(mine);
      const sumMs = this.#host.clock.now() - startMs;
      return { bytesSent: 0, bytesReceived: 0, waitMs: 0, sumMs, totalMs: sumMs, dropped: 0 };
    } catch (thrown) {
      this.#leave();
      throw watch.error ?? thrown;
    } finally {
      watch.dispose();
      this.#watch = undefined;
    }
  }

  /**
   * Closes the sockets, and ends a current all-reduce. Must be called after the commit, and before the thread
   * or process ends.
   */
  close(): void {
    this.#closed = true;
    this.#watch?.abort('the ring was closed');
    this.#leave();
    this.#receiver.close();
  }

  async #exchange(
    work: RingRound,
    position: Position,
    outbox: Outbox,
    watch: StallWatch,
  ): Promise<RingReport> {
    const startMs = this.#host.clock.now();
    const sentBefore = outbox.bytes;
    const droppedBefore = this.#inbox.dropped;
    let bytesReceived = 0;
    let waitMs = 0;
    let sumMs = 0;
    const send = (outgoing: Outgoing): void =>
      outbox.push(() => {
        watch.progress();
        return work.frames(outgoing);
      });
    this.#inbox.begin(position);
    work.first().forEach(send);
    while (!work.complete) {
      const waitingMs = this.#host.clock.now();
      const { header, payload } = await this.#inbox.next(position, watch);
      const receivedMs = this.#host.clock.now();
      const verdict = work.accept(header, payload);
      waitMs += receivedMs - waitingMs;
      sumMs += this.#host.clock.now() - receivedMs;
      if ('refused' in verdict) {
        this.#inbox.drop(verdict.refused);
        continue;
      }
      watch.progress();
      this.#received++;
      faultPoint(header.phase === 'reduce' ? 'ring-reduce' : 'ring-gather', position.step);
      bytesReceived += HEADER_BYTES + payload.byteLength;
      if (verdict.outgoing !== undefined) send(verdict.outgoing);
    }
    const stopped = await Promise.race([outbox.drained(), watch.stopped]);
    if (stopped !== undefined) throw stopped;
    return {
      bytesSent: outbox.bytes - sentBefore,
      bytesReceived,
      waitMs,
      sumMs,
      totalMs: this.#host.clock.now() - startMs,
      dropped: this.#inbox.dropped - droppedBefore,
    };
  }

  #leave(): void {
    this.#outbox?.close();
    this.#outbox = undefined;
    this.#membership = undefined;
  }
}

function startWatch(
  clock: Clock,
  { generation, step }: Position,
  work: RingRound,
  request: ReduceRequest,
): StallWatch {
  return new StallWatch({
    clock,
    timeoutMs: request.timeoutMs,
    signal: request.signal,
    onStall: (waitedMs) => coded('RING_TIMEOUT', { step, waitedMs, progress: work.progress }),
    onAbort: (reason) => coded('RING_ABORTED', { step, generation, reason: reasonOf(reason) }),
  });
}
