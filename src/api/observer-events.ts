/** Turns what the trainer reports to its observers into events of the library. Pure. */
import type { TrainingObserver } from '../coordinator/watch/observer.js';
import { figuresOf } from '../run/folder/run-summary.js';
import type { TrainingEvent } from './training-event.js';

/** An observer that turns everything into an event. */
export function observerTelling(tell: (event: TrainingEvent) => void): Partial<TrainingObserver> {
  return {
    onStart: (event) =>
      tell({
        kind: 'start',
        version: event.version,
        model: event.name,
        parameters: event.parameters,
        steps: event.steps,
        stepsPerEpoch: event.stepsPerEpoch,
        fromStep: event.fromStep,
        workers: event.workers,
        backend: event.backend,
        initFrom: event.initFrom,
        initCommit: event.initCommit,
        initDigest: event.initDigest,
      }),
    onStep: ({ step, epoch, learningRate, totals }) =>
      tell({ kind: 'step', step, epoch, learningRate, ...figuresOf(totals) }),
    onEpoch: ({ epoch, step, train, split, evaluated, improved }) =>
      tell({
        kind: 'epoch',
        epoch,
        step,
        train: figuresOf(train),
        split,
        evaluated: evaluated && figuresOf(evaluated),
        improved,
      }),
    onFinalTest: ({ step, test, best }) =>
      tell({ kind: 'final-test', step, weights: best ? 'best' : 'last', ...figuresOf(test) }),
    onCheckpoint: ({ step, path, weightDigest, ms }) =>
      tell({ kind: 'checkpoint', step, path, weightDigest, ms }),
    onClusterEvent: ({ kind, worker = null, atEnd = false, text }) =>
      tell({ kind: 'cluster', what: kind, worker, atEnd, text }),
  };
}
