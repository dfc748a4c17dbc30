/** The arguments and the result of an all-reduce. */
import { coded, type VitrailError } from '../../errors/errors.js';
import type { SumKind } from './segment-header.js';
import type { Vector } from '../sums/vector.js';

export interface ReduceRequest {
  readonly step: number;
  /** Which all-reduce of the step (a repeat, a bucket). Default 0. */
  readonly round?: number;
  /** This rank's values. They are only read, and must not change until the commit or a newer plan. */
  readonly mine: Vector;
  /** Receives the sum over all ranks. It must not overlap `mine`, and must not change until the commit. */
  readonly out: Vector;
  readonly kind: SumKind;
  /** Longest time without progress. */
  readonly timeoutMs: number;
  /** Aborts the all-reduce, because there is a new generation. */
  readonly signal?: AbortSignal;
}

export interface RingReport {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly waitMs: number;
  readonly sumMs: number;
  readonly totalMs: number;
  /** Messages that did not belong to this all-reduce; `Ring.drops` says why. */
  readonly dropped: number;
}

/** The error for a mistake of the caller. */
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
