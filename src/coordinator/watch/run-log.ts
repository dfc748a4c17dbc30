/** The run folder's `metrics.jsonl`: one JSON object a line for every step, epoch, checkpoint and event. */
import { join } from 'node:path';
import { closeAnyway, type DiskFile } from '../../host/disk.js';
import type { Clock } from '../../host/clock.js';
import type { Host } from '../../host/host.js';
import type { Body } from '../../wire/codec.js';
import { coded, reasonOf } from '../../errors/errors.js';
import { figuresOf } from '../../run/folder/run-summary.js';
import type { FinalTestObserved, StepObserved, TrainingObserver } from './observer.js';

/** At most so many lines wait for the disk, so that a disk that does not answer cannot fill the memory. */
const MOST_WAITING = 1000;

export class RunLog implements Partial<TrainingObserver> {
  readonly #clock: Clock;
  readonly #file: DiskFile;
  readonly #mayWrite: () => Promise<boolean>;
  /** The length of the file up to its last whole line. */
  #bytes: number;
  #torn = false;
  /** Lines that could not be written since the last one that could. */
  #missing = 0;
  /** Steps whose update is not reported yet. Their lines wait for the gradient norm. */
  readonly #pending = new Map<number, StepObserved & { readonly atMs: number }>();
  #lastStepMs: number;
  /** Lines are written one after the other, and nobody waits for them. */
  #writing: Promise<void> = Promise.resolve();
  #waiting = 0;

  private constructor(clock: Clock, file: DiskFile, bytes: number, mayWrite: () => Promise<boolean>) {
    this.#clock = clock;
    this.#file = file;
    this.#bytes = bytes;
    this.#mayWrite = mayWrite;
    this.#lastStepMs = clock.now();
  }

  /**
   * Appends to the log in `runDir`.
   * @param mayWrite gives false if another coordinator has taken over the folder
   * @throws RUN_WRITE_FAILED
   */
  static async open(
    { clock, disk }: Pick<Host, 'clock' | 'disk'>,
    runDir: string,
    mayWrite: () => Promise<boolean>,
  ): Promise<RunLog> {
    const path = join(runDir, 'metrics.jsonl');
    try {
      const file = await disk.open(path, 'a');
      return new RunLog(clock, file, await file.size(), mayWrite);
    } catch (error) {
      throw coded('RUN_WRITE_FAILED', { path, reason: reasonOf(error) });
    }
  }

  onStart(event: object): void {
    this.#lastStepMs = this.#clock.now();
    this.#write('start', event);
  }

  onStep(event: StepObserved): void {
    this.#pending.set(event.step, { ...event, atMs: this.#clock.now() });
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
      ...figuresOf(totals),
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
    this.#lastStepMs = this.#clock.now();
    this.#write('epoch', {
      epoch,
      step,
      train: figuresOf(train),
      [split]: evaluated && figuresOf(evaluated),
      improved,
    });
  }

  onFinalTest({ step, best, test }: FinalTestObserved): void {
    this.#write('final-test', { step, weights: best ? 'best' : 'last', ...figuresOf(test) });
  }

  onCheckpoint(event: object): void {
    this.#lastStepMs = this.#clock.now();
    this.#write('checkpoint', event);
  }

  onClusterEvent(event: object): void {
    this.#write('cluster', event);
  }

  /** Resolves once all lines are written, or cannot be. */
  async written(): Promise<void> {
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.written();
    await closeAnyway(this.#file);
  }

  /**
   * A line that cannot be written, on a full disk for example, is left out, because a log must not end a run.
   */
  #write(type: string, fields: object): void {
    if (this.#waiting >= MOST_WAITING) {
      this.#missing++;
      return;
    }
    const line = this.#line(type, fields);
    this.#waiting++;
    this.#writing = this.#writing.then(async () => {
      const missing = this.#missing;
      if (missing > 0 && (await this.#append(this.#line('gap', { missing })))) this.#missing -= missing;
      if (!(await this.#append(line))) this.#missing++;
      this.#waiting--;
    });
  }

  #line(type: string, fields: object): Buffer {
    const time = this.#clock.date().toISOString();
    return Buffer.from(`${JSON.stringify({ type, time, ...fields })}\n`);
  }

  async #append(line: Buffer): Promise<boolean> {
    try {
      if (!(await this.#mayWrite())) return false;
      // A part of a line may follow the last whole one.
      if (this.#torn) await this.#file.truncate(this.#bytes);
      this.#torn = true;
      await this.#file.append(line);
      this.#torn = false;
      this.#bytes += line.length;
      return true;
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
