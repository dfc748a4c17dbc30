/**
 * Pulling a part of a run's state (weights, moments, manifest) in chunks, without sockets:
 * whoever needs state asks for it, so the taker sets the pace and can go on from another giver.
 */
import type { Body } from './codec.js';

/** Small enough that heartbeats on the same socket are not held up. */
export const CHUNK_BYTES = 2 ** 20;
/** Requests under way at once. */
const WINDOW = 4;

export type Ask = (request: Body<'stateRequest'>) => void;

/** The answer to a request, from the part's bytes. */
export function stateChunk(request: Body<'stateRequest'>, bytes: Uint8Array): Body<'stateChunk'> {
  const { transfer, part, offset, length } = request;
  const start = Math.min(offset, bytes.byteLength);
  const end = Math.min(start + Math.min(length, CHUNK_BYTES), bytes.byteLength);
  return { transfer, part, offset: start, total: bytes.byteLength, data: bytes.subarray(start, end) };
}

/** One part being pulled. Feed it chunks with `accept`; `done` resolves to the bytes. */
export class StatePull {
  readonly done: Promise<Uint8Array>;
  readonly #transfer: number;
  readonly #part: string;
  readonly #ask: Ask;
  #resolve!: (bytes: Uint8Array) => void;
  #reject!: (error: Error) => void;
  #target: Uint8Array | null;
  #asked = 0;
  #received = 0;

  /** @param target where the bytes go; without it, memory is taken when the size is known */
  constructor(transfer: number, part: string, ask: Ask, target: Uint8Array | null = null) {
    this.#transfer = transfer;
    this.#part = part;
    this.#ask = ask;
    this.#target = target;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Asks for the first chunk, which tells the size. */
  start(): void {
    this.#request(0);
    this.#asked = CHUNK_BYTES;
  }

  /** Takes a chunk; chunks of another transfer or outside the part are ignored. */
  accept(chunk: Body<'stateChunk'>): void {
    if (chunk.transfer !== this.#transfer || chunk.part !== this.#part) return;
    this.#target ??= new Uint8Array(chunk.total);
    if (chunk.total !== this.#target.byteLength) {
      this.fail(new Error(`${this.#part} has ${chunk.total} bytes, expected ${this.#target.byteLength}`));
      return;
    }
    if (chunk.offset + chunk.data.byteLength > chunk.total) return;
    this.#target.set(chunk.data, chunk.offset);
    this.#received += chunk.data.byteLength;
    if (this.#received >= chunk.total) this.#resolve(this.#target);
    const ahead = this.#received + WINDOW * CHUNK_BYTES;
    while (this.#asked < chunk.total && this.#asked < ahead) {
      this.#request(this.#asked);
      this.#asked += CHUNK_BYTES;
    }
  }

  fail(error: Error): void {
    this.#reject(error);
  }

  #request(offset: number): void {
    this.#ask({ transfer: this.#transfer, part: this.#part, offset, length: CHUNK_BYTES });
  }
}
