/** Evaluates a split on all workers: every sample once, with exact sums. */
import type { EvaluatedSplit, Manifest } from '../run/dataset/manifest.js';
import type { VitrailError } from '../errors/errors.js';
import { Confusion } from '../run/evaluation/confusion.js';
import { confusionReport, type ConfusionReport } from '../run/evaluation/confusion-report.js';
import { lossOfUnits } from '../numbers/exact/loss-units.js';
import type { Body } from '../wire/codec.js';
import type { Cluster } from './cluster.js';
import type { Totals } from '../run/journal/run-state.js';
import { microBatches, type MicroBatch } from './step/sampling.js';
import { evaluationReportError } from './step/report-check.js';
import { assignFreshly } from './step/step-planning.js';

export interface Evaluation extends Totals {
  readonly confusion: ConfusionReport;
}

/** The evaluation of the test images, for a run whose best checkpoint was chosen without them. */
export interface FinalTest {
  readonly last: Evaluation;
  /** Null if no checkpoint is the best, or if it can no longer be read. */
  readonly best: Evaluation | null;
}

export interface EvaluationOptions {
  readonly manifest: Manifest;
  readonly split: EvaluatedSplit;
  readonly microBatch: number;
  readonly useEma: boolean;
  readonly step: number;
  readonly timeoutMs: number;
  /** True aborts the evaluation. */
  readonly interrupted: () => boolean;
}

/** The part of an evaluation that a worker is computing. */
interface Part {
  readonly evaluation: number;
  readonly worker: number;
  readonly list: readonly MicroBatch[];
}

/**
 * Every worker that holds the state computes a part. If a worker is lost, or its report cannot be true, its part goes to
 * the others.
 * @returns null when interrupted
 * @throws STATE_LOST, STEP_TIMEOUT, PROTOCOL_GARBAGE
 */
export async function evaluateOnCluster(
  cluster: Cluster,
  options: EvaluationOptions,
): Promise<Evaluation | null> {
  const { manifest, split, step, timeoutMs, interrupted } = options;
  const { classes } = manifest;
  const labels = manifest[split].samples.map(({ label }) => label);
  const samples = labels.map((_, i) => i);
  const sums: Sums = { lossUnits: 0, correct: 0, predictions: new Uint32Array(labels.length) };
  let rest: readonly MicroBatch[] = microBatches(samples, options.microBatch);
  let open: readonly Part[] = [];
  while (rest.length > 0 || open.length > 0) {
    // A worker has one part at a time, because only the newest of its answers is kept.
    const busy = new Set(open.map(({ worker }) => worker));
    const holders = open.length === 0 ? await cluster.someHolders(step) : cluster.holders(step);
    const free = holders.filter((worker) => !busy.has(worker));
    if (free.length > 0 && rest.length > 0) {
      open = [...open, ...handOut(cluster, rest, free, options)];
      rest = [];
    }
    const out = new Map(open.map((part) => [part.worker, part.evaluation]));
    const numbers = new Set(out.values());
    const gathered = await cluster.waitForAnswers({
      name: 'evaluationDone',
      step,
      from: [...out.keys()],
      matches: ({ evaluation }) => numbers.has(evaluation),
      timeoutMs,
      interrupted,
    });
    if (gathered.interrupted) return null;
    const { answers } = gathered;
    const done = open.filter(({ worker, evaluation }) => answers.get(worker)?.evaluation === evaluation);
    const taken = new Set<Part>();
    for (const part of done) {
      const error = takeIn(part, answers.get(part.worker)!, classes.length, sums);
      if (error === null) {
        taken.add(part);
        continue;
      }
      const others = cluster.holders(step).filter((worker) => worker !== part.worker);
      if (others.length === 0) throw error;
      cluster.expel(part.worker, error.message);
    }
    const left = open.filter((part) => !taken.has(part));
    const members = new Set(cluster.workers);
    open = left.filter(({ worker }) => members.has(worker));
    rest = [...rest, ...left.filter(({ worker }) => !members.has(worker)).flatMap(({ list }) => list)];
  }
  return {
    lossSum: lossOfUnits(sums.lossUnits),
    correct: sums.correct,
    samples: labels.length,
    confusion: confusionReport(new Confusion(classes.length, labels, sums.predictions), classes),
  };
}

function handOut(
  cluster: Cluster,
  list: readonly MicroBatch[],
  workers: readonly number[],
  { useEma, split }: EvaluationOptions,
): Part[] {
  return [...assignFreshly(list, workers)]
    .filter(([, assigned]) => assigned.length > 0)
    .map(([worker, assigned]) => {
      const evaluation = cluster.nextNumber();
      const wire = assigned.map((m) => ({ index: m.index, samples: [...m.samples] }));
      cluster.send(worker, 'evaluationPlan', { evaluation, useEma, split, microBatches: wire });
      return { evaluation, worker, list: assigned };
    });
}

/** The reports of an evaluation so far, added up. */
interface Sums {
  lossUnits: number;
  correct: number;
  /** The predicted class of each sample of the split. */
  readonly predictions: Uint32Array;
}

/** Adds a report to the sums. @returns why the report cannot be true; then nothing is added */
function takeIn(
  { worker, list }: Part,
  body: Body<'evaluationDone'>,
  classes: number,
  sums: Sums,
): VitrailError | null {
  const assigned = list.flatMap((m) => m.samples);
  const error = evaluationReportError(worker, body, assigned.length, classes);
  if (error !== null) return error;
  sums.lossUnits += body.lossSum;
  sums.correct += body.correct;
  for (const [i, sample] of assigned.entries()) sums.predictions[sample] = body.predictions[i]!;
  return null;
}
