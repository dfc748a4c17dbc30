/** Whether all workers hold the same weights and moments, bit for bit. Pure. */
import { coded, type VitrailError } from '../shared/errors.js';
import type { Body } from '../shared/protocol/codec.js';
import { oddWorker } from './step-outcome.js';

/** SHA-256 in hex by part. */
export type PartDigests = ReadonlyMap<string, string>;

export function partDigests({ parts }: Body<'stateDigest'>): PartDigests {
  return new Map(parts.map(({ part, sha256 }) => [part, Buffer.from(sha256).toString('hex')]));
}

/**
 * The error that names the first part and worker that disagree; null where all agree.
 * @param expected what each part has to be, where that is known: a checkpoint's
 */
export function stateDisagreement(
  step: number,
  held: ReadonlyMap<number, PartDigests>,
  expected: PartDigests = new Map(),
): VitrailError | null {
  const parts = new Set([...held.values()].flatMap((digests) => [...digests.keys()]));
  for (const part of parts) {
    const byWorker = new Map([...held].map(([worker, digests]) => [worker, digests.get(part) ?? 'none']));
    const wanted = expected.get(part);
    const wrong =
      wanted === undefined
        ? oddWorker(byWorker)
        : ([...byWorker].find(([, digest]) => digest !== wanted)?.[0] ?? null);
    if (wrong !== null) return coded('STATE_MISMATCH', { worker: wrong, part, step });
  }
  return null;
}
