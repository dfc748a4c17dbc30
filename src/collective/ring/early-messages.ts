/** Keeps messages of an all-reduce that this rank has not begun yet, up to a limit. */
import { comparePositions, type SegmentHeader, type Position } from './segment-header.js';

export interface SegmentMessage {
  readonly header: SegmentHeader;
  readonly payload: Uint8Array;
}

/** 64 segments of 1 MiB. */
const MAX_EARLY_BYTES = 64 * 2 ** 20;

export class EarlyMessages {
  readonly #limitBytes: number;
  #messages: SegmentMessage[] = [];
  #bytes = 0;

  constructor(limitBytes = MAX_EARLY_BYTES) {
    this.#limitBytes = limitBytes;
  }

  /** Whether the limit is reached, so that no more should be read. */
  get full(): boolean {
    return this.#bytes >= this.#limitBytes;
  }

  keep(message: SegmentMessage): void {
    this.#messages.push(message);
    this.#bytes += message.payload.byteLength;
  }

  /** Removes and returns the messages for `position` in order of arrival, and counts and drops older ones. */
  take(position: Position): { readonly messages: SegmentMessage[]; readonly stale: number } {
    const order = ({ header }: SegmentMessage): number => comparePositions(header, position);
    const messages = this.#messages.filter((message) => order(message) === 0);
    const later = this.#messages.filter((message) => order(message) > 0);
    const stale = this.#messages.length - messages.length - later.length;
    this.#messages = later;
    this.#bytes = later.reduce((sum, { payload }) => sum + payload.byteLength, 0);
    return { messages, stale };
  }
}
