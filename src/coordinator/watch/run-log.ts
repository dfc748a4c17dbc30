/** The run folder's `metrics.jsonl`: one JSON object a line for every step, epoch, checkpoint and event. */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Body } from '../../wire/codec.js';
import { accuracy, meanLoss, type Totals } from '../../run/journal/run-state.js';
import type { FinalTestObserved, StepObserved, TrainingObserver } from './observer.js';

function figures(totals: Totals | null): { loss: number; accuracy: number; samples: number } | null {
  return totals && { loss: meanLoss(totals), accuracy: accuracy(totals), samples: totals.samples };
}

export class RunLog implements Partial<TrainingObserver> {
  readonly #file: number;
  readonly #now: () => number;
  readonly #mayWrite: () => boolean;
  /** Of the whole lines in it. */
  #bytes: number;
  /** Lines that could not be written since the last that was. */
  #missing = 0;
  /** Steps whose update is not reported yet: the line waits for the gradient norm. */
  readonly #pending = new Map<number, StepObserved & { readonly atMs: number }>();
  #lastStepMs: number;

  /**
   * Appends to the log in `runDir`.
   * @param now milliseconds of a monotonic clock
   * @param mayWrite false where the folder belongs to another by now
   */
  constructor(runDir: string, now: () => number, mayWrite: () => boolean) {
    this.#file = openSync(join(runDir, 'metrics.jsonl'), 'a');
    this.#bytes = fstatSync(this.#file).size;
    this.#now = now;
    this.#mayWrite = mayWrite;
    this.#lastStepMs = now();
  }

  onStart(event: object): void {
    this.#lastStepMs = this.#now();
    this.#write('start', event);
  }

  onStep(event: StepObserved): void {
    this.#pending.set(event.step, { ...event, atMs: this.#now() });
  }

  onUpdate(_worker: number, update: Body<'updateDone'>): void {
    const done = this.#pending.get(update.step);
    if (done === undefined) return;
    this.#pending.delete(update.step);
    const { step, epoch, learningRate, totals, repeats, replans, reports, roundMs, commitMs } = done;
    const stepMs = done.atMs - this.#lastStepMs;
    this.#lastStepMs = done.atMs;
    this.#write('step', {
      step,
      epoch,
      learningRate,
      ...figures(totals),
      gradientNorm: update.gradientNorm,
      updateMs: round(update.updateMs),
      commitWaitMs: round(update.commitWaitMs),
      repeats,
      replans,
      roundMs: round(roundMs),
      commitMs: round(commitMs),
      stepMs: round(stepMs),
      imagesPerSecond: round((totals.samples * 1000) / stepMs),
      workers: reports.map(({ worker, done: d }) => ({ worker, samples: d.samples, ...rounded(d.timings) })),
    });
  }

  onEpoch(event: Parameters<TrainingObserver['onEpoch']>[0]): void {
    const { epoch, step, train, split, evaluated, improved } = event;
    this.#lastStepMs = this.#now();
    this.#write('epoch', { epoch, step, train: figures(train), [split]: figures(evaluated), improved });
  }

  onFinalTest({ step, best, test }: FinalTestObserved): void {
    this.#write('final-test', { step, weights: best ? 'best' : 'last', ...figures(test) });
  }

  onCheckpoint(event: object): void {
    this.#lastStepMs = this.#now();
    this.#write('checkpoint', event);
  }

  onClusterEvent(event: object): void {
    this.#write('cluster', event);
  }

  close(): void {
    closeSync(this.#file);
  }

  /** A line that cannot be written, on a full disk, is left out: watching a run does not end it. */
  #write(type: string, fields: object): void {
    if (this.#missing > 0 && this.#append('gap', { missing: this.#missing })) this.#missing = 0;
    if (!this.#append(type, fields)) this.#missing++;
  }

  #append(type: string, fields: object): boolean {
    const line = Buffer.from(`${JSON.stringify({ type, time: new Date().toISOString(), ...fields })}\n`);
    try {
      if (!this.#mayWrite()) return false;
      const whole = writeSync(this.#file, line) === line.length;
      if (whole) this.#bytes += line.length;
      else ftruncateSync(this.#file, this.#bytes);
      return whole;
    } catch {
      return false;
    }
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function rounded(timings: object): Record<string, number> {
  return Object.fromEntries(Object.entries(timings).map(([key, value]) => [key, round(value as number)]));
}
