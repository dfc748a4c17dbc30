/**
 * Pulls a part of a run's state (weights, moments, manifest) in chunks, without sockets.
 * The process that needs the state asks for it, so it sets the pace, and can continue with another peer.
 */
import { createHash } from 'node:crypto';
import type { Body } from './codec.js';

/** So small that heartbeats on the same socket are not delayed. */
export const CHUNK_BYTES = 2 ** 20;
/** Requests that may be under way at the same time. */
const WINDOW = 4;
/** Longest wait for the next chunk. */
const STALL_MS = 60_000;
/** Damaged chunks of a part that are asked for again. More mean that the sender's memory or its way is broken. */
const MOST_DAMAGED = 3;
/** Far more than any model has. A peer that announces more is not believed. */
const LARGEST_PART_BYTES = 2 ** 36;

/** A range of bytes of a part. */
export type PieceRequest = Pick<Body<'stateRequest'>, 'transfer' | 'part' | 'offset' | 'length'>;

/** The part of a clock that a transfer needs. */
export interface Timers {
  after(ms: number, action: () => void): { cancel(): void; refresh(): void };
}

function digestOf(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

export type Ask = (request: PieceRequest) => void;

/** The answer to a request, from the part's bytes. */
export function stateChunk(request: PieceRequest, bytes: Uint8Array): Body<'stateChunk'> {
  const { transfer, part, offset, length } = request;
  const start =
    Number.isSafeInteger(offset) && offset >= 0 ? Math.min(offset, bytes.byteLength) : bytes.byteLength;
  const end = Math.min(start + Math.min(length, CHUNK_BYTES), bytes.byteLength);
  const data = bytes.subarray(start, end);
  const total = bytes.byteLength;
  return { transfer, part, offset: start, total, data, unavailable: false, sha256: digestOf(data) };
}

const NOTHING = new Uint8Array(0);

/** The answer of a process that does not hold the requested state. */
export function noChunk({ transfer, part, offset }: PieceRequest): Body<'stateChunk'> {
  return { transfer, part, offset, total: 0, data: NOTHING, unavailable: true, sha256: NOTHING };
}

/** The transfer of one part. `run` starts it; every chunk that arrives has to be passed to `accept`. */
export class StatePull {
  readonly #timers: Timers;
  readonly #transfer: number;
  readonly #part: string;
  #ask: Ask;
  readonly #done: Promise<Uint8Array>;
  #resolve!: (bytes: Uint8Array) => void;
  #reject!: (error: Error) => void;
  #target: Uint8Array | null;
  /** Offsets that were requested and have not arrived, so that a chunk counts only once. */
  readonly #open = new Set<number>();
  #nextOffset = 0;
  #damaged = 0;
  #stall: ReturnType<Timers['after']> | null = null;
  #begun = false;
  readonly #stallMs: number;

  /**
   * @param target receives the bytes; without it, memory is allocated when the size is known
   * @param stallMs longest wait for the next chunk; Infinity if the caller handles stalls itself
   */
  constructor(
    timers: Timers,
    transfer: number,
    part: string,
    ask: Ask,
    target: Uint8Array | null = null,
    stallMs = STALL_MS,
  ) {
    this.#timers = timers;
    this.#stallMs = stallMs;
    this.#transfer = transfer;
    this.#part = part;
    this.#ask = ask;
    this.#target = target;
    this.#done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /**
   * Transfers the part, and returns its bytes. Rejects if nothing arrives for `stallMs`, if too many chunks are damaged, or
   * with the error given to `fail`.
   */
  async run(): Promise<Uint8Array> {
    const late = (): void => this.fail(new Error(`no more of ${this.#part} within ${this.#stallMs} ms`));
    if (this.#stallMs < Infinity) this.#stall = this.#timers.after(this.#stallMs, late);
    // The first chunk tells the size.
    if (!this.#begun) this.#request();
    this.#begun = true;
    try {
      return await this.#done;
    } finally {
      this.#stall?.cancel();
    }
  }

  /**
   * Continues with another peer, or with the same one again, by asking for everything that has not arrived.
   */
  resume(ask: Ask): void {
    this.#ask = ask;
    this.#stall?.refresh();
    for (const offset of this.#open) this.#askFor(offset);
  }

  /** Accepts a chunk. A chunk that was not requested is ignored; one that is damaged is requested again. */
  accept({ transfer, part, offset, total, data, unavailable, sha256 }: Body<'stateChunk'>): void {
    if (transfer !== this.#transfer || part !== this.#part || !this.#open.has(offset)) return;
    if (unavailable) {
      this.fail(new Error(`the sender does not hold ${part} of that step`));
      return;
    }
    if (!Number.isSafeInteger(total) || total < 0 || total > LARGEST_PART_BYTES) {
      this.fail(new Error(`${part} is said to have ${total} bytes`));
      return;
    }
    this.#target ??= new Uint8Array(total);
    if (total !== this.#target.byteLength) {
      this.fail(new Error(`${part} has ${total} bytes, expected ${this.#target.byteLength}`));
      return;
    }
    if (data.byteLength !== Math.min(CHUNK_BYTES, total - offset)) {
      this.fail(new Error(`${part} came with ${data.byteLength} bytes at ${offset}`));
      return;
    }
    this.#stall?.refresh();
    if (Buffer.compare(digestOf(data), sha256) !== 0) {
      if (++this.#damaged > MOST_DAMAGED) this.fail(new Error(`${part} came damaged ${this.#damaged} times`));
      else this.#askFor(offset);
      return;
    }
    this.#open.delete(offset);
    this.#target.set(data, offset);
    while (this.#nextOffset < total && this.#open.size < WINDOW) this.#request();
    if (this.#open.size === 0) this.#resolve(this.#target);
  }

  fail(error: Error): void {
    this.#reject(error);
  }

  #request(): void {
    this.#open.add(this.#nextOffset);
    this.#askFor(this.#nextOffset);
    this.#nextOffset += CHUNK_BYTES;
  }

  #askFor(offset: number): void {
    this.#ask({ transfer: this.#transfer, part: this.#part, offset, length: CHUNK_BYTES });
  }
}
