/**
 * Pulling a part of a run's state (weights, moments, manifest) in chunks, without sockets:
 * whoever needs state asks for it, so the taker sets the pace and can go on from another giver.
 */
import type { Body } from './codec.js';

/** Small enough that heartbeats on the same socket are not held up. */
export const CHUNK_BYTES = 2 ** 20;
/** Requests under way at once. */
const WINDOW = 4;
/** Longest wait for the next chunk. */
const STALL_MS = 60_000;
/** Far beyond any model; a giver that announces more is not believed. */
const LARGEST_PART_BYTES = 2 ** 36;

/** A piece of a part. */
export type PieceRequest = Pick<Body<'stateRequest'>, 'transfer' | 'part' | 'offset' | 'length'>;

/** The part of a clock that a transfer needs. */
export interface Timers {
  after(ms: number, action: () => void): { cancel(): void; refresh(): void };
}

export type Ask = (request: PieceRequest) => void;

/** The answer to a request, from the part's bytes. */
export function stateChunk(request: PieceRequest, bytes: Uint8Array): Body<'stateChunk'> {
  const { transfer, part, offset, length } = request;
  const start =
    Number.isSafeInteger(offset) && offset >= 0 ? Math.min(offset, bytes.byteLength) : bytes.byteLength;
  const end = Math.min(start + Math.min(length, CHUNK_BYTES), bytes.byteLength);
  return {
    transfer,
    part,
    offset: start,
    total: bytes.byteLength,
    data: bytes.subarray(start, end),
    unavailable: false,
  };
}

/** The answer of a giver that does not hold what is asked for. */
export function noChunk({ transfer, part, offset }: PieceRequest): Body<'stateChunk'> {
  return { transfer, part, offset, total: 0, data: new Uint8Array(0), unavailable: true };
}

/** One part being pulled. `run` starts it; feed it what arrives with `accept`. */
export class StatePull {
  readonly #timers: Timers;
  readonly #transfer: number;
  readonly #part: string;
  #ask: Ask;
  readonly #done: Promise<Uint8Array>;
  #resolve!: (bytes: Uint8Array) => void;
  #reject!: (error: Error) => void;
  #target: Uint8Array | null;
  /** Offsets asked for and not answered: a chunk counts once. */
  readonly #open = new Set<number>();
  #nextOffset = 0;
  #stall: ReturnType<Timers['after']> | null = null;
  #begun = false;
  readonly #stallMs: number;

  /**
   * @param target where the bytes go; without it, memory is taken when the size is known
   * @param stallMs longest wait for the next chunk; Infinity where the caller looks after it
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

  /** The part's bytes. Rejects when nothing arrives for `stallMs`, or with what `fail` was given. */
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

  /** Goes on with another giver, or with the same one again: asks for what has not come. */
  resume(ask: Ask): void {
    this.#ask = ask;
    this.#stall?.refresh();
    for (const offset of this.#open) this.#askFor(offset);
  }

  /** Takes a chunk; what was not asked for is ignored. */
  accept({ transfer, part, offset, total, data, unavailable }: Body<'stateChunk'>): void {
    if (transfer !== this.#transfer || part !== this.#part || !this.#open.has(offset)) return;
    if (unavailable) {
      this.fail(new Error(`the giver does not hold ${part} of that step`));
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
