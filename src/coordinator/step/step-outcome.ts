/**
 * Decides what the workers' reports of a step mean: the step is sound, digests differ, or the run has to
 * stop.
 */
import { coded, type VitrailError } from '../../errors/errors.js';
import { lossOfUnits } from '../../numbers/exact/loss-units.js';
import type { StepTotals } from '../../run/journal/run-state.js';
import type { Body } from '../../wire/codec.js';

export interface StepReport {
  readonly worker: number;
  readonly done: Body<'stepDone'>;
}

export type StepOutcome =
  | { readonly kind: 'sound'; readonly totals: StepTotals }
  /** `odd`: the workers that differ from a majority; empty if there is no majority. */
  | { readonly kind: 'mismatch'; readonly odd: readonly number[]; readonly error: VitrailError }
  | { readonly kind: 'stop'; readonly error: VitrailError };

/**
 * The workers that differ from a majority of more than half; empty if all agree or there is no such majority.
 */
export function outvoted(digests: ReadonlyMap<number, string>): readonly number[] {
  for (const digest of new Set(digests.values())) {
    const others = [...digests].filter(([, d]) => d !== digest).map(([worker]) => worker);
    if (2 * others.length < digests.size) return others.sort((a, b) => a - b);
  }
  return [];
}

/**
 * A worker with the rarest digest, or null if all agree. Of two digests that are equally rare, the one of the
 * higher number.
 */
export function oddWorker(digests: ReadonlyMap<number, string>): number | null {
  const holders = new Map<string, number[]>();
  for (const [worker, digest] of digests) holders.set(digest, [...(holders.get(digest) ?? []), worker]);
  if (holders.size <= 1) return null;
  const groups = [...holders.values()].sort((a, b) => a.length - b.length || b[0]! - a[0]!);
  return groups[0]![0]!;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function elementwiseMaximum(reports: readonly StepReport[], tensors: number): Float32Array {
  const maxima = new Float32Array(tensors);
  for (const { done } of reports) {
    for (let t = 0; t < tensors; t++) maxima[t] = Math.max(maxima[t]!, done.maxima[t]!);
  }
  return maxima;
}

/**
 * Judges the reports of all workers of a step, each of which was checked before, and adds them up. Their
 * order does not matter.
 */
export function judgeStep(
  step: number,
  reports: readonly StepReport[],
  tensorNames: readonly string[],
): StepOutcome {
  const lossless = reports.filter(({ done }) => done.lossNotFinite).map(({ done }) => done.lossNotFiniteAt);
  if (lossless.length > 0) {
    const error = coded('LOSS_NOT_FINITE', {
      value: 'NaN or infinite',
      step,
      microBatch: Math.min(...lossless),
    });
    return { kind: 'stop', error };
  }
  const broken = reports.flatMap(({ done }) => done.nonFinite);
  if (broken.length > 0) {
    const tensor = tensorNames[Math.min(...broken)] ?? 'an unknown tensor';
    return { kind: 'stop', error: coded('GRADIENT_NOT_FINITE', { tensor, step }) };
  }
  const digests = new Map(reports.map(({ worker, done }) => [worker, hex(done.digest)]));
  const odd = oddWorker(digests);
  if (odd !== null) {
    const error = coded('DIGEST_MISMATCH', { worker: odd, step });
    return { kind: 'mismatch', odd: outvoted(digests), error };
  }
  return {
    kind: 'sound',
    totals: {
      lossSum: lossOfUnits(reports.reduce((sum, { done }) => sum + done.lossSum, 0)),
      correct: reports.reduce((sum, { done }) => sum + done.correct, 0),
      samples: reports.reduce((sum, { done }) => sum + done.samples, 0),
      maxima: elementwiseMaximum(reports, tensorNames.length),
      digest: hex(reports[0]!.done.digest),
    },
  };
}
