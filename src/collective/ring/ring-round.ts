/**
 * One all-reduce on one rank, without sockets: checks and adds the messages that arrive, and says what to
 * send.
 */
import { encodeSegmentHeader, type SegmentHeader, type Position, type SumKind } from './segment-header.js';
import { arrivalHop, firstMoves, nextMove, type Segment, type Move, type RingPlan } from './ring-plan.js';
import type { SegmentSum } from '../sums/sum.js';
import type { Vector } from '../sums/vector.js';

export interface RoundOptions {
  readonly plan: RingPlan;
  readonly position: Position;
  readonly runToken: bigint;
  readonly kind: SumKind;
  /** [plan.length], only read. */
  readonly mine: Vector;
  /** [plan.length], first partial sums, at the end the sum over all ranks. */
  readonly out: Vector;
  readonly sum: SegmentSum;
}

/** A message to be sent. Its frames are made when it is its turn. */
export interface Outgoing {
  readonly move: Move;
  /** Undefined for the rank's own values, which have no checksum yet. */
  readonly checksum: number | undefined;
}

export type Verdict =
  { readonly outgoing: Outgoing | undefined } | { readonly refused: 'unexpected' | 'duplicate' | 'checksum' };

export class RingRound {
  readonly #options: RoundOptions;
  readonly #mine: Uint8Array;
  readonly #out: Uint8Array;
  /** For each phase, [segment index]: 1 if received. */
  readonly #seen: { readonly reduce: Uint8Array; readonly gather: Uint8Array };
  readonly #received = { reduce: 0, gather: 0 };

  constructor(options: RoundOptions) {
    const { plan, mine, out } = options;
    this.#options = options;
    this.#mine = new Uint8Array(mine.buffer, mine.byteOffset, mine.byteLength);
    this.#out = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
    this.#seen = { reduce: new Uint8Array(plan.segmentCount), gather: new Uint8Array(plan.segmentCount) };
  }

  get received(): number {
    return this.#received.reduce + this.#received.gather;
  }

  /** Whether everything has arrived, so that `out` is final. */
  get complete(): boolean {
    return this.received === this.#options.plan.receives;
  }

  get progress(): string {
    const { receives, sends } = this.#options.plan;
    const { reduce, gather } = this.#received;
    return `received ${reduce + gather} of ${receives} messages (${reduce} partial, ${gather} final sums), ${sends} to send`;
  }

  first(): Outgoing[] {
    return firstMoves(this.#options.plan).map((move) => ({ move, checksum: undefined }));
  }

  /** Accepts a message of this all-reduce. A message that does not fit changes no sum. */
  accept(header: SegmentHeader, payload: Uint8Array): Verdict {
    const { plan, kind, sum } = this.#options;
    const { phase, hop } = header;
    const segment = plan.chunks[header.chunk]?.[header.segment];
    const fits =
      segment !== undefined &&
      header.kind === kind &&
      header.elements === segment.length &&
      hop === arrivalHop(plan, phase, header.chunk) &&
      (phase === 'reduce' || this.#mayBeFinal(segment));
    if (!fits) return { refused: 'unexpected' };
    if (this.#seen[phase][segment.index] === 1) return { refused: 'duplicate' };

    const out = part(this.#out, segment);
    let checksum: number;
    if (phase === 'reduce') {
      const { incoming, result } = sum.add(kind, payload, part(this.#mine, segment), out);
      if (incoming !== header.checksum) return { refused: 'checksum' };
      checksum = result;
    } else {
      checksum = sum.copy(payload, out);
      if (checksum !== header.checksum) return { refused: 'checksum' };
    }
    this.#seen[phase][segment.index] = 1;
    this.#received[phase]++;
    const move = nextMove(plan, { phase, hop, segment });
    return { outgoing: move === undefined ? undefined : { move, checksum } };
  }

  /** Header and payload of `outgoing`; the payload is a view, not a copy. */
  frames({ move, checksum }: Outgoing): [Uint8Array, Uint8Array] {
    const { position, runToken, kind, sum } = this.#options;
    const { phase, hop, segment } = move;
    const payload = part(checksum === undefined ? this.#mine : this.#out, segment);
    const header = encodeSegmentHeader({
      runToken,
      generation: position.generation,
      step: position.step,
      round: position.round,
      phase,
      kind,
      hop,
      chunk: segment.chunk,
      segment: segment.segment,
      elements: segment.length,
      checksum: checksum ?? sum.checksum(payload),
    });
    return [header, payload];
  }

  /** A finished sum cannot arrive before this rank has added its own values to it. */
  #mayBeFinal(segment: Segment): boolean {
    const { plan } = this.#options;
    return segment.chunk === plan.rank || this.#seen.reduce[segment.index] === 1;
  }
}

function part(bytes: Uint8Array, segment: Segment): Uint8Array {
  return bytes.subarray(4 * segment.offset, 4 * (segment.offset + segment.length));
}
