/** What an all-reduce is asked for, and what it tells. */
import { coded, type VitrailError } from '../../errors/errors.js';
import type { SumKind } from './segment-header.js';
import type { Vector } from '../sums/vector.js';

export interface ReduceRequest {
  readonly step: number;
  /** Which all-reduce of the step (a repeat, a bucket). Default 0. */
  readonly round?: number;
  /** This rank's values; only read, and to be left alone until the commit or a newer plan. */
  readonly mine: Vector;
  /** Receives the sum over all ranks; memory apart from `mine`, to be left alone until the commit. */
  readonly out: Vector;
  readonly kind: SumKind;
  /** Longest time without progress. */
  readonly timeoutMs: number;
  /** Calls the all-reduce off, for a new generation. */
  readonly signal?: AbortSignal;
}

export interface RingReport {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly waitMs: number;
  readonly sumMs: number;
  readonly totalMs: number;
  /** Messages that were not of this all-reduce; `Ring.drops` says why. */
  readonly dropped: number;
}

/** A caller's mistake. */
export function internal(reason: string): VitrailError {
  return coded('INTERNAL', { reason });
}

/** @throws INTERNAL */
export function checkVectors({ mine, out, kind }: ReduceRequest): void {
  const Type = kind === 'exact' ? Int32Array : Float32Array;
  if (!(mine instanceof Type && out instanceof Type))
    throw internal(`reduce() '${kind}' needs ${Type.name}s`);
  if (mine.length !== out.length) throw internal(`reduce() of ${mine.length} elements into ${out.length}`);
  const overlap =
    mine.buffer === out.buffer &&
    mine.byteOffset < out.byteOffset + out.byteLength &&
    out.byteOffset < mine.byteOffset + mine.byteLength;
  if (overlap) throw internal('reduce() into the memory of its own input');
}
