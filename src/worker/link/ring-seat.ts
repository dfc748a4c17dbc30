/**
 * This worker's end of the ring. It is opened each time that the worker becomes a member, and joined with
 * every generation.
 */
import { piecewiseDigest } from '../../run/checkpoint/piecewise-digest.js';
import { coded } from '../../errors/errors.js';
import type { ReduceRequest } from '../../collective/ring/reduce-request.js';
import { Ring, type RingHost } from '../../collective/ring/ring.js';
import { vectorOf } from '../../collective/sums/vector.js';
import type { LinkCalls, ReduceTask, SharedState } from './link-contract.js';

export class RingSeat {
  readonly #host: RingHost;
  #ring: Ring | null = null;
  #generation = 0;
  /** Of the all-reduce under way. */
  #abort: AbortController | null = null;

  constructor(host: RingHost) {
    this.#host = host;
  }

  /** Generation of the all-reduce under way, or of the last one; 0 before the first. */
  get generation(): number {
    return this.#generation;
  }

  /** Messages that the all-reduce under way has received. */
  get messages(): number {
    return this.#ring?.received ?? 0;
  }

  /** Opens the ring, in place of an earlier one. @returns the address that others connect to */
  async open({ transport, where, runToken }: LinkCalls['openRing']['argument']): Promise<string> {
    this.close();
    this.#generation = 0;
    this.#ring = await Ring.open(this.#host, { transport, where, runToken: BigInt(`0x${runToken}`) });
    return this.#ring.endpoint;
  }

  /**
   * Runs an all-reduce, and computes the digest of its result.
   * @param onDropped called with the number of messages that did not belong to it
   * @throws RING_TIMEOUT, RING_ABORTED
   */
  async reduce(
    { ring, generation, step, timeoutMs, worker }: ReduceTask,
    state: SharedState,
    onDropped: (messages: number) => void,
  ): Promise<LinkCalls['reduce']['answer']> {
    if (this.#ring === null) throw coded('INTERNAL', { reason: 'reduce before openRing' });
    const rank = ring.findIndex((m) => m.worker === worker);
    const next = ring[(rank + 1) % ring.length];
    if (rank < 0 || next === undefined) throw coded('INTERNAL', { reason: 'this worker is not in the ring' });
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#ring.join({ generation, rank, ranks: ring.length, nextEndpoint: next.endpoint });
    }
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const report = await this.#ring.reduce({ step, ...views(state), timeoutMs, signal });
    onDropped(report.dropped);
    const startMs = this.#host.clock.now();
    const digest = await piecewiseDigest(this.#host.clock, new Uint8Array(state.reduced));
    const digestMs = this.#host.clock.now() - startMs;
    const { waitMs, sumMs, totalMs, bytesSent, bytesReceived } = report;
    return { digest, waitMs, sumMs, totalMs, digestMs, bytesSent, bytesReceived };
  }

  /** Ends an all-reduce under way. */
  abort(reason: string): void {
    this.#abort?.abort(reason);
  }

  close(): void {
    this.#ring?.close();
    this.#ring = null;
  }
}

/** The ring's two buffers, with the element type of the reduction. */
function views({ kind, mine, reduced }: SharedState): Pick<ReduceRequest, 'kind' | 'mine' | 'out'> {
  return { kind, mine: vectorOf(kind, mine), out: vectorOf(kind, reduced) };
}
