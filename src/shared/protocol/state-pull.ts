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

export type Ask = (request: Body<'stateRequest'>) => void;

/** The answer to a request, from the part's bytes. */
export function stateChunk(request: Body<'stateRequest'>, bytes: Uint8Array): Body<'stateChunk'> {
  const { transfer, part, offset, length } = request;
  const start =
    Number.isSafeInteger(offset) && offset >= 0 ? Math.min(offset, bytes.byteLength) : bytes.byteLength;
  const end = Math.min(start + Math.min(length, CHUNK_BYTES), bytes.byteLength);
  return { transfer, part, offset: start, total: bytes.byteLength, data: bytes.subarray(start, end) };
}

/** One part being pulled. `run` starts it; feed it what arrives with `accept`. */
export class StatePull {
  readonly #transfer: number;
  readonly #part: string;
  readonly #ask: Ask;
  readonly #done: Promise<Uint8Array>;
  #resolve!: (bytes: Uint8Array) => void;
  #reject!: (error: Error) => void;
  #target: Uint8Array | null;
  /** Offsets asked for and not answered: a chunk counts once. */
  readonly #open = new Set<number>();
  #nextOffset = 0;
  #stall: NodeJS.Timeout | null = null;

  /** @param target where the bytes go; without it, memory is taken when the size is known */
  constructor(transfer: number, part: string, ask: Ask, target: Uint8Array | null = null) {
    this.#transfer = transfer;
    this.#part = part;
    this.#ask = ask;
    this.#target = target;
    this.#done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The part's bytes. Rejects when nothing arrives for a minute, or with what `fail` was given. */
  async run(): Promise<Uint8Array> {
    const late = (): void => this.fail(new Error(`no more of ${this.#part} within ${STALL_MS} ms`));
    this.#stall = setTimeout(late, STALL_MS);
    // The first chunk tells the size.
    this.#request();
    try {
      return await this.#done;
    } finally {
      clearTimeout(this.#stall);
    }
  }

  /** Takes a chunk; what was not asked for is ignored. */
  accept({ transfer, part, offset, total, data }: Body<'stateChunk'>): void {
    if (transfer !== this.#transfer || part !== this.#part || !this.#open.has(offset)) return;
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
    this.#ask({ transfer: this.#transfer, part: this.#part, offset: this.#nextOffset, length: CHUNK_BYTES });
    this.#nextOffset += CHUNK_BYTES;
  }
}
