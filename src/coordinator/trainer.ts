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
}

export interface TrainingEnd {
  readonly state: RunState;
  readonly reason: string;
  readonly evaluation: Evaluation | null;
}

/** The learning rates of a run of `steps` steps. */
export function scheduleOf(config: RunConfig, steps: number): LearningRateSchedule {
  const { schedule: form, lr: base, finalLr } = config;
  return { form, base, finalLr, warmupSteps: warmupOf(config.warmupSteps, steps), totalSteps: steps };
}

/** Trains from `start` to the end of the run, or to the first reason to stop. */
export async function train(run: TrainingRun, start: RunState): Promise<TrainingEnd> {
  const { config, manifest, cluster, checkpoints, observer } = run;
  const trainSamples = manifest.train.samples.length;
  const perEpoch = stepsPerEpoch(trainSamples, config.batch);
  const steps = totalSteps(config, perEpoch);
  const schedule = scheduleOf(config, steps);
  const runner = new StepRunner(cluster, config, run.layout, trainSamples, perEpoch);
  let state = start;
  let evaluation: Evaluation | null = null;
  let saved = start.step;

  const save = async (best: boolean): Promise<void> => {
    const committed = state.step - 1;
    await cluster.collect('updateDone', committed, (body) => body.step === committed, config.stepTimeoutMs);
    await checkpoints.save(state, best);
    saved = state.step;
  };

  while (state.step < steps) {
    const stopReason = run.stopRequested();
    if (stopReason !== null) {
      if (saved !== state.step) await save(false);
      return { state, reason: stopReason, evaluation };
    }

    const position = stepPosition(state.step, perEpoch);
    const lr = learningRate(schedule, state.step);
    const result = await runner.run(state.step, lr, state.runningMaxima);
    observer.onStep({ step: state.step, epoch: position.epoch, learningRate: lr, ...result });
    state = afterStep(state, result.totals);

    const finished = state.step === steps;
    if (position.lastOfEpoch || finished) {
      const due = finished || (position.epoch + 1) % config.evaluateEvery === 0;
      const train = state.epochTotals;
      const evaluationStartMs = performance.now();
      evaluation = due ? await evaluate(run, state) : null;
      const evaluationMs = due ? performance.now() - evaluationStartMs : null;
      const figures = { epoch: position.epoch, train, test: evaluation };
      const verdict = afterEpoch(state, figures, {
        metric: config.earlyStopMetric,
        mode: config.earlyStopMode,
        minDelta: config.earlyStopMinDelta,
        patience: config.earlyStopPatience,
        percentage: config.earlyStopPercentage,
      });
      state = verdict.state;
      observer.onEpoch({ ...figures, step: state.step, improved: verdict.improved, evaluationMs });
      await save(verdict.improved);
      if (verdict.stopReason !== null) return { state, reason: verdict.stopReason, evaluation };
    } else if (config.checkpointEverySteps > 0 && state.step % config.checkpointEverySteps === 0) {
      await save(false);
    }
  }
  return { state, reason: 'finished', evaluation };
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
