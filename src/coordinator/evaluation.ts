/** Evaluation over all workers: every sample of the test split once, the sums exact. */
import { lossOfUnits } from '../shared/exact/loss-units.js';
import type { Cluster } from './cluster.js';
import type { Totals } from './run-state.js';
import { microBatches } from './sampling.js';
import { evaluationReportError } from './report-check.js';
import { assignEvenly } from './step-planning.js';

export interface Evaluation extends Totals {
  /** confusion[actual][predicted], counts. */
  readonly confusion: readonly (readonly number[])[];
}

export interface EvaluationOptions {
  /** Number of this evaluation in the run. */
  readonly evaluation: number;
  /** Labels of the test split, in manifest order. */
  readonly labels: readonly number[];
  readonly classes: number;
  readonly microBatch: number;
  readonly useEma: boolean;
  readonly step: number;
  readonly timeoutMs: number;
}

/** @throws WORKER_LOST, STEP_TIMEOUT */
export async function evaluateOnCluster(cluster: Cluster, options: EvaluationOptions): Promise<Evaluation> {
  const { evaluation, labels, classes, useEma } = options;
  const samples = labels.map((_, i) => i);
  const assignment = assignEvenly(microBatches(samples, options.microBatch), cluster.workers);
  for (const [worker, list] of assignment) {
    const assigned = list.map((m) => ({ index: m.index, samples: [...m.samples] }));
    cluster.send(worker, 'evaluationPlan', { evaluation, useEma, microBatches: assigned });
  }
  const done = await cluster.collect(
    'evaluationDone',
    options.step,
    (body) => body.evaluation === evaluation,
    options.timeoutMs,
  );
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let lossUnits = 0;
  let correct = 0;
  for (const [worker, body] of done) {
    const assigned = (assignment.get(worker) ?? []).flatMap((m) => m.samples);
    const error = evaluationReportError(worker, body, assigned.length, classes);
    if (error !== null) throw error;
    lossUnits += body.lossSum;
    correct += body.correct;
    assigned.forEach((sample, i) => {
      const row = confusion[labels[sample]!]!;
      const predicted = body.predictions[i]!;
      row[predicted] = row[predicted]! + 1;
    });
  }
  return { lossSum: lossOfUnits(lossUnits), correct, samples: labels.length, confusion };
}
