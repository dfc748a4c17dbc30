/** The training loop, to be read from top to bottom: step, evaluate, decide, keep. */
import type { RunConfig } from '../run/config/schema.js';
import { choosingSplit, type EvaluatedSplit, type Manifest } from '../run/dataset/manifest.js';
import { reasonOf } from '../errors/errors.js';
import { faultPoint } from '../host/fault-injection.js';
import type { ParameterLayout } from '../run/model/parameter-layout.js';
import { learningRate, warmupOf, type LearningRateSchedule } from '../run/schedule/learning-rate.js';
import { endsOf, firstLength, lengthAt, totalSteps } from '../run/schedule/run-length.js';
import type { CheckpointKeeper } from './checkpoint-keeper.js';
import type { Cluster } from './cluster.js';
import { isDiskFull, type DiskWait } from '../host/disk-space.js';
import { evaluateOnCluster, type Evaluation, type FinalTest } from './evaluation.js';
import type { TrainingObserver } from './watch/observer.js';
import type { Journal } from '../run/journal/journal.js';
import { afterProlongation } from '../run/folder/prolongation.js';
import { afterEpoch, afterStep, withSavedBest, type RunState } from '../run/journal/run-state.js';
import { epochStep, stepsPerEpoch } from './step/sampling.js';
import { agreedState } from './recovery/state-audit.js';
import { duties } from './step/step-duties.js';
import type { StepRunner } from './step-runner.js';

export interface TrainingRun {
  readonly config: RunConfig;
  readonly layout: ParameterLayout;
  readonly manifest: Manifest;
  readonly cluster: Cluster;
  readonly checkpoints: CheckpointKeeper;
  readonly journal: Journal;
  readonly observer: TrainingObserver;
  readonly runner: StepRunner;
  readonly diskWait: DiskWait;
  /** Why the run should stop, or null. It ends with a checkpoint of its last committed step; work under way is called off. */
  readonly stopRequested: () => string | null;
  /** How far the run has come, also when it ends with an error. */
  readonly progress: TrainingProgress;
  /** Seconds of training so far, resumptions added up. */
  readonly seconds: () => number;
}

export type EvaluatedRun = Pick<TrainingRun, 'config' | 'manifest' | 'cluster' | 'stopRequested'>;

/**
 * The reason why training ends here: the run is over, or its last workers have left and their state is in a
 * checkpoint.
 */
export type TrainingEnd =
  | { readonly kind: 'ended'; readonly reason: string; readonly over: boolean }
  | { readonly kind: 'handed-over' };

export interface TrainingProgress {
  state: RunState;
  /** The last evaluation since the start. */
  evaluation: Evaluation | null;
  /** Figures of the test images, evaluated once at the end; null before that, and if the test images choose the best. */
  final: FinalTest | null;
  lastCommit: { readonly generation: number; readonly digest: string } | null;
  /** The newest step with a checkpoint, -1 for none. */
  saved: number;
  /** The newest step after which all workers were known to hold the right state. */
  agreed: number;
}

/**
 * The schedule of the learning rate. In a run that is prolonged, a new decay begins at that step, without a
 * warm-up.
 */
export function scheduleAt(config: RunConfig, perEpoch: number, step: number): LearningRateSchedule {
  const { schedule: form, lr: base, finalLr } = config;
  const warmupSteps = warmupOf(config.warmupSteps, firstLength(config, perEpoch));
  return { form, base, finalLr, warmupSteps, totalSteps: lengthAt(config, perEpoch, step) };
}

/**
 * Trains from `progress.state` to the end of the run, or to the first reason to stop. Everything that follows from a
 * state is done at the top of the loop, so that it is also done after a coordinator died right before it.
 * @throws StateDiscredited, and coded errors
 */
export async function train(run: TrainingRun): Promise<TrainingEnd> {
  const { config, manifest, journal, observer, progress, runner, seconds } = run;
  const perEpoch = stepsPerEpoch(manifest.train.samples.length, config.batch);
  const steps = totalSteps(config, perEpoch);
  const ends = endsOf(config, perEpoch);
  for (;;) {
    const due = duties(progress.state, progress.saved, { config, perEpoch, ends });
    if (due.epoch !== null) {
      faultPoint('before-evaluation', progress.state.step);
      const concluded = await finishEpoch(run, due.epoch, due.evaluate, due.whole);
      if (concluded === null) return stopped(run);
      progress.state = { ...concluded, elapsedSeconds: seconds() };
      await journal.epoch(progress.state);
    }
    progress.state = afterProlongation(progress.state, config);
    const over = progress.state.ended !== null || progress.state.step >= steps;
    if (due.checkpoint) await save(run, over);
    else if (due.audit) await audit(run);
    progress.state = withSavedBest(progress.state, progress.saved);

    const { step, amaxHistory, ended } = progress.state;
    if (over) return { kind: 'ended', reason: ended ?? 'finished', over: true };
    if (run.stopRequested() !== null) return stopped(run);
    const left = await letGo(run, step);
    if (left && progress.saved === step) return { kind: 'handed-over' };

    const lr = learningRate(scheduleAt(config, perEpoch, step), step);
    const result = await runner.run(step, lr, amaxHistory, async ({ totals, generation, ring }) => {
      const state = { ...afterStep(progress.state, totals), elapsedSeconds: seconds() };
      await journal.commit(state, generation, totals.digest, ring);
      progress.state = state;
      progress.lastCommit = { generation, digest: totals.digest };
    });
    if (result === null) continue;
    const { epoch } = epochStep(step, perEpoch);
    observer.onStep({ step, epoch, learningRate: lr, ...result });
  }
}

/** @param needed whether it waits while the disk is full; if not, training goes on without the checkpoint */
async function save(run: TrainingRun, needed: boolean): Promise<void> {
  const { checkpoints, cluster, diskWait, journal, progress } = run;
  const { state, agreed } = progress;
  faultPoint('before-checkpoint', state.step);
  const kept = await checkpoints
    .save(state, { agreed, wait: needed ? diskWait : null })
    .catch((error: unknown) => {
      if (needed || !isDiskFull(error)) throw error;
      cluster.note({ kind: 'disk-full', text: `${reasonOf(error)}: training goes on without it` });
      return null;
    });
  progress.agreed = state.step;
  if (kept === null) return;
  faultPoint('after-checkpoint', state.step);
  await journal.checkpoint(state.step, kept.path, kept.digest);
  progress.saved = state.step;
}

/** Compares what the workers hold. */
async function audit({ cluster, config, progress }: TrainingRun): Promise<void> {
  const { state, agreed } = progress;
  const { step } = state;
  await agreedState(cluster, { step, agreed, timeoutMs: config.stepTimeoutMs });
  progress.agreed = step;
}

/**
 * Ends the run at once. A step or an evaluation that was under way is computed again when the run is resumed.
 */
async function stopped(run: TrainingRun): Promise<TrainingEnd> {
  const { progress } = run;
  if (progress.saved !== progress.state.step) await save(run, true);
  return { kind: 'ended', reason: run.stopRequested() ?? 'stopped', over: false };
}

/**
 * Releases workers that want to leave. The last one to hold the state leaves it in a checkpoint.
 * @returns whether some have left and no worker holds the state any more
 */
async function letGo(run: TrainingRun, step: number): Promise<boolean> {
  const { cluster, progress } = run;
  const leaving = cluster.members.filter((m) => m.leaving).map((m) => m.worker);
  if (leaving.length === 0) return false;
  const holders = cluster.holders(step);
  const handsOver = holders.some((worker) => !leaving.includes(worker));
  if (!handsOver && holders.length > 0 && progress.saved !== step) await save(run, true);
  for (const worker of leaving) cluster.release(worker);
  return cluster.holders(step).length === 0;
}

/**
 * Evaluates if an evaluation is due, and concludes an epoch: early stopping and the best checkpoint are decided.
 * A run that ends within an epoch does not conclude it, so that it can be prolonged as if it had never ended.
 * @returns the state to go on with; null when a stop was asked for before the evaluation was finished
 */
async function finishEpoch(
  run: TrainingRun,
  epoch: number,
  due: boolean,
  whole: boolean,
): Promise<RunState | null> {
  const { cluster, config, observer, progress } = run;
  const startMs = cluster.clock.now();
  const split = choosingSplit(run.manifest);
  const evaluated = due ? await evaluate(run, split, progress.state.step) : null;
  if (due && evaluated === null) return null;
  const evaluationMs = due ? cluster.clock.now() - startMs : null;
  if (evaluated !== null) progress.evaluation = evaluated;
  const { epochTotals, step } = progress.state;
  const figures = { epoch, train: epochTotals, evaluated };
  const verdict = afterEpoch(progress.state, figures, {
    metric: config.earlyStopMetric,
    mode: config.earlyStopMode,
    minDelta: config.earlyStopMinDelta,
    patience: config.earlyStopPatience,
    percentage: config.earlyStopPercentage,
  });
  const improved = whole && verdict.improved;
  observer.onEpoch({ ...figures, split, step, improved, evaluationMs });
  return whole ? verdict.state : progress.state;
}

/**
 * The evaluation of `split` by all workers with the state after `step` steps; null when a stop was asked for.
 */
export async function evaluate(
  { config, manifest, cluster, stopRequested }: EvaluatedRun,
  split: EvaluatedSplit,
  step: number,
): Promise<Evaluation | null> {
  return evaluateOnCluster(cluster, {
    manifest,
    split,
    microBatch: config.microBatch,
    useEma: config.emaDecay > 0,
    step,
    timeoutMs: config.stepTimeoutMs,
    interrupted: () => stopRequested() !== null,
  });
}
