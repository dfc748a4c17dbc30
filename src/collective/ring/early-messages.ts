/** Messages of an all-reduce that this rank has not begun yet, kept up to a limit until it does. */
import { comparePositions, type ChunkHeader, type Position } from './chunk-header.js';

export interface ChunkMessage {
  readonly header: ChunkHeader;
  readonly payload: Uint8Array;
}

/** 64 chunks of 1 MiB. */
const MAX_EARLY_BYTES = 64 * 2 ** 20;

export class EarlyMessages {
  readonly #limitBytes: number;
  #messages: ChunkMessage[] = [];
  #bytes = 0;

  constructor(limitBytes = MAX_EARLY_BYTES) {
    this.#limitBytes = limitBytes;
  }

  /** No more should be read: the limit is reached. */
  get full(): boolean {
    return this.#bytes >= this.#limitBytes;
  }

  keep(message: ChunkMessage): void {
    this.#messages.push(message);
    this.#bytes += message.payload.byteLength;
  }

  /** Removes and returns the messages for `position` in order of arrival, and counts and drops older ones. */
  take(position: Position): { readonly messages: ChunkMessage[]; readonly stale: number } {
    const order = ({ header }: ChunkMessage): number => comparePositions(header, position);
    const messages = this.#messages.filter((message) => order(message) === 0);
    const later = this.#messages.filter((message) => order(message) > 0);
    const stale = this.#messages.length - messages.length - later.length;
    this.#messages = later;
    this.#bytes = later.reduce((sum, { payload }) => sum + payload.byteLength, 0);
    return { messages, stale };
  }
}
