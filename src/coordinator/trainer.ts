/** The training loop: step, evaluate, decide, keep; read it top to bottom. */
import type { RunConfig } from '../shared/config/schema.js';
import type { Manifest } from '../shared/dataset/manifest.js';
import type { ParameterLayout } from '../shared/model/parameter-layout.js';
import {
  learningRate,
  totalSteps,
  warmupOf,
  type LearningRateSchedule,
} from '../shared/schedule/learning-rate.js';
import type { CheckpointKeeper } from './checkpoint-keeper.js';
import type { Cluster } from './cluster.js';
import { evaluateOnCluster, type Evaluation } from './evaluation.js';
import type { TrainingObserver } from './observer.js';
import { afterEpoch, afterStep, type RunState } from './run-state.js';
import { stepPosition, stepsPerEpoch } from './sampling.js';
import { agreedState } from './state-audit.js';
import { StepRunner } from './step-runner.js';

export interface TrainingRun {
  readonly config: RunConfig;
  readonly layout: ParameterLayout;
  readonly manifest: Manifest;
  readonly cluster: Cluster;
  readonly checkpoints: CheckpointKeeper;
  readonly observer: TrainingObserver;
  /** Asked between steps: a reason ends the run there, with a checkpoint. */
  readonly stopRequested: () => string | null;
  /** How far the run has come, also when it ends with an error. */
  readonly progress: TrainingProgress;
}

export interface TrainingProgress {
  state: RunState;
  /** The last evaluation since the start. */
  evaluation: Evaluation | null;
}

/** The learning rates of a run of `steps` steps. */
export function scheduleOf(config: RunConfig, steps: number): LearningRateSchedule {
  const { schedule: form, lr: base, finalLr } = config;
  return { form, base, finalLr, warmupSteps: warmupOf(config.warmupSteps, steps), totalSteps: steps };
}

/**
 * Trains from `progress.state` to the end of the run, or to the first reason to stop.
 * @returns why it ended
 */
export async function train(run: TrainingRun): Promise<string> {
  const { config, manifest, cluster, checkpoints, observer, progress } = run;
  const trainSamples = manifest.train.samples.length;
  const perEpoch = stepsPerEpoch(trainSamples, config.batch);
  const steps = totalSteps(config, perEpoch);
  const schedule = scheduleOf(config, steps);
  const runner = new StepRunner(cluster, config, run.layout, trainSamples, perEpoch);
  let saved = progress.state.step;

  /** Waits until every worker has applied the last commit. */
  const updated = async (): Promise<void> => {
    const committed = progress.state.step - 1;
    await cluster.collect('updateDone', committed, (body) => body.step === committed, config.stepTimeoutMs);
  };
  const save = async (best: boolean): Promise<void> => {
    await updated();
    await checkpoints.save(progress.state, best);
    saved = progress.state.step;
  };

  while (progress.state.step < steps && progress.state.ended === null) {
    const stopReason = run.stopRequested();
    if (stopReason !== null) {
      if (saved !== progress.state.step) await save(false);
      return stopReason;
    }

    const { step, runningMaxima } = progress.state;
    const { epoch, lastOfEpoch } = stepPosition(step, perEpoch);
    const lr = learningRate(schedule, step);
    const result = await runner.run(step, lr, runningMaxima);
    observer.onStep({ step, epoch, learningRate: lr, ...result });
    progress.state = afterStep(progress.state, result.totals);

    const committed = step + 1;
    if (lastOfEpoch || committed === steps) {
      const due = committed === steps || (epoch + 1) % config.evaluateEvery === 0;
      await save(await finishEpoch(run, epoch, due, lastOfEpoch));
    } else if (config.checkpointEverySteps > 0 && committed % config.checkpointEverySteps === 0) {
      await save(false);
    } else if (config.auditEverySteps > 0 && committed % config.auditEverySteps === 0) {
      await updated();
      await agreedState(cluster, committed, config.stepTimeoutMs);
    }
  }
  return progress.state.ended ?? 'finished';
}

/**
 * Evaluates if it is due, and draws the conclusions of an epoch.
 * A run that ends within an epoch draws none: prolonged, it goes on as if it had never ended.
 * @returns whether this is the best result so far
 */
async function finishEpoch(run: TrainingRun, epoch: number, due: boolean, whole: boolean): Promise<boolean> {
  const { config, observer, progress } = run;
  const startMs = performance.now();
  const test = due ? await evaluate(run, progress.state) : null;
  const evaluationMs = due ? performance.now() - startMs : null;
  if (test !== null) progress.evaluation = test;
  const { epochTotals, step } = progress.state;
  const figures = { epoch, train: epochTotals, test };
  const verdict = afterEpoch(progress.state, figures, {
    metric: config.earlyStopMetric,
    mode: config.earlyStopMode,
    minDelta: config.earlyStopMinDelta,
    patience: config.earlyStopPatience,
    percentage: config.earlyStopPercentage,
  });
  if (whole) progress.state = verdict.state;
  const improved = whole && verdict.improved;
  observer.onEpoch({ ...figures, step, improved, evaluationMs });
  return improved;
}

async function evaluate(run: TrainingRun, state: RunState): Promise<Evaluation> {
  const { config, manifest, cluster } = run;
  return evaluateOnCluster(cluster, {
    evaluation: state.step,
    labels: manifest.test.samples.map((sample) => sample.label),
    classes: manifest.classes.length,
    microBatch: config.microBatch,
    useEma: config.emaDecay > 0,
    step: state.step,
    timeoutMs: config.stepTimeoutMs,
  });
}
