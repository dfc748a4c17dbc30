/** One all-reduce on one rank, without sockets: judges and sums what arrives and says what to send. */
import { encodeChunkHeader, type ChunkHeader, type Position, type SumKind } from './chunk-header.js';
import { arrivalHop, firstMoves, nextMove, type Chunk, type Move, type RingPlan } from './ring-plan.js';
import type { ChunkSum } from '../sums/sum.js';
import type { Vector } from '../sums/vector.js';

export interface RoundOptions {
  readonly plan: RingPlan;
  readonly position: Position;
  readonly runToken: bigint;
  readonly kind: SumKind;
  /** [plan.length], only read. */
  readonly mine: Vector;
  /** [plan.length], partial sums first, at last the sum over all ranks. */
  readonly out: Vector;
  readonly sum: ChunkSum;
}

/** A message to be sent; its frames are made when its turn comes. */
export interface Outgoing {
  readonly move: Move;
  /** Undefined for the rank's own values, of which nobody has taken the sum yet. */
  readonly checksum: number | undefined;
}

export type Verdict =
  { readonly outgoing: Outgoing | undefined } | { readonly refused: 'unexpected' | 'duplicate' | 'checksum' };

export class RingRound {
  readonly #options: RoundOptions;
  readonly #mine: Uint8Array;
  readonly #out: Uint8Array;
  /** [chunk index], by phase: 1 when received. */
  readonly #seen: { readonly reduce: Uint8Array; readonly gather: Uint8Array };
  readonly #received = { reduce: 0, gather: 0 };

  constructor(options: RoundOptions) {
    const { plan, mine, out } = options;
    this.#options = options;
    this.#mine = new Uint8Array(mine.buffer, mine.byteOffset, mine.byteLength);
    this.#out = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
    this.#seen = { reduce: new Uint8Array(plan.chunkCount), gather: new Uint8Array(plan.chunkCount) };
  }

  get received(): number {
    return this.#received.reduce + this.#received.gather;
  }

  /** Everything has arrived: `out` is final. */
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

  /** Takes a message of this round's position in; one that does not fit leaves all received sums as they are. */
  accept(header: ChunkHeader, payload: Uint8Array): Verdict {
    const { plan, kind, sum } = this.#options;
    const { phase, hop } = header;
    const chunk = plan.segments[header.segment]?.[header.chunk];
    const fits =
      chunk !== undefined &&
      header.kind === kind &&
      header.elements === chunk.length &&
      hop === arrivalHop(plan, phase, header.segment) &&
      (phase === 'reduce' || this.#mayBeFinal(chunk));
    if (!fits) return { refused: 'unexpected' };
    if (this.#seen[phase][chunk.index] === 1) return { refused: 'duplicate' };

    const out = part(this.#out, chunk);
    let checksum: number;
    if (phase === 'reduce') {
      const { incoming, result } = sum.add(kind, payload, part(this.#mine, chunk), out);
      if (incoming !== header.checksum) return { refused: 'checksum' };
      checksum = result;
    } else {
      checksum = sum.copy(payload, out);
      if (checksum !== header.checksum) return { refused: 'checksum' };
    }
    this.#seen[phase][chunk.index] = 1;
    this.#received[phase]++;
    const move = nextMove(plan, { phase, hop, chunk });
    return { outgoing: move === undefined ? undefined : { move, checksum } };
  }

  /** Header and payload of `outgoing`; the payload is a view, not a copy. */
  frames({ move, checksum }: Outgoing): [Uint8Array, Uint8Array] {
    const { position, runToken, kind, sum } = this.#options;
    const { phase, hop, chunk } = move;
    const payload = part(checksum === undefined ? this.#mine : this.#out, chunk);
    const header = encodeChunkHeader({
      runToken,
      generation: position.generation,
      step: position.step,
      round: position.round,
      phase,
      kind,
      hop,
      segment: chunk.segment,
      chunk: chunk.chunk,
      elements: chunk.length,
      checksum: checksum ?? sum.checksum(payload),
    });
    return [header, payload];
  }

  /** A sum cannot come back before this rank's own values went into it. */
  #mayBeFinal(chunk: Chunk): boolean {
    const { plan } = this.#options;
    return chunk.segment === plan.rank || this.#seen.reduce[chunk.index] === 1;
  }
}

function part(bytes: Uint8Array, chunk: Chunk): Uint8Array {
  return bytes.subarray(4 * chunk.offset, 4 * (chunk.offset + chunk.length));
}
