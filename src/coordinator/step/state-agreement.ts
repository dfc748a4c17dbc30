/** Decides whether all workers hold the same weights and moments, bit for bit. Pure. */
import { coded, type VitrailError } from '../../errors/errors.js';
import type { Body } from '../../wire/codec.js';
import { oddWorker, outvoted } from './step-outcome.js';

/** SHA-256 in hex by part. */
export type PartDigests = ReadonlyMap<string, string>;

export function partDigests({ parts }: Body<'stateDigest'>): PartDigests {
  return new Map(parts.map(({ part, sha256 }) => [part, Buffer.from(sha256).toString('hex')]));
}

export interface StateVerdict {
  /** Names the first part and worker that disagree. */
  readonly error: VitrailError;
  /** Workers to be removed; empty if there is no majority. */
  readonly odd: readonly number[];
}

/**
 * Null if all agree. With `expected` (the digests of a checkpoint), every worker that differs from it is
 * wrong; without it, the majority is right.
 */
export function stateVerdict(
  step: number,
  held: ReadonlyMap<number, PartDigests>,
  expected: PartDigests = new Map(),
): StateVerdict | null {
  const parts = new Set([...held.values()].flatMap((digests) => [...digests.keys()]));
  for (const part of parts) {
    const byWorker = new Map([...held].map(([worker, digests]) => [worker, digests.get(part) ?? 'none']));
    const wanted = expected.get(part);
    const differing = [...byWorker].filter(([, digest]) => digest !== wanted).map(([worker]) => worker);
    const wrong = wanted === undefined ? oddWorker(byWorker) : (differing[0] ?? null);
    if (wrong === null) continue;
    const error = coded('STATE_MISMATCH', { worker: wrong, part, step });
    if (wanted === undefined) return { error, odd: outvoted(byWorker) };
    return { error, odd: differing.length < byWorker.size ? differing : [] };
  }
  return null;
}
