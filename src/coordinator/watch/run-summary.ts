/** The run folder's `summary.json`: what was run, how it ended, what came out. */
import { join } from 'node:path';
import type { RunConfig } from '../../run/config/schema.js';
import { choosingSplit, type EvaluatedSplit, type Manifest } from '../../run/dataset/manifest.js';
import type { ConfusionReport } from '../../run/evaluation/confusion-report.js';
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import type { CheckpointKeeper } from '../checkpoint-keeper.js';
import type { Disk } from '../../host/disk.js';
import type { DiskWait } from '../../host/disk-space.js';
import { writeRunFile } from '../../run/folder/run-file.js';
import { accuracy, meanLoss, type BestResult, type Totals } from '../../run/journal/run-state.js';
import { stepsPerEpoch } from '../step/sampling.js';
import type { TrainingProgress } from '../trainer.js';

const SUMMARY_FILE = 'summary.json';

export interface SplitFigures {
  readonly loss: number;
  readonly accuracy: number;
  readonly samples: number;
}

export interface BestSummary extends BestResult {
  /** By whose images it was chosen: `accuracy` and `loss` are those. */
  readonly chosenBy: EvaluatedSplit;
  /** By the test images, where nothing was chosen by them. */
  readonly test: SplitFigures | null;
}

/** The figures of the confusion matrix are those of the last evaluation, null and empty where there was none. */
export interface RunSummary extends ConfusionReport {
  readonly reason: string;
  readonly completed: boolean;
  readonly config: RunConfig;
  readonly classes: readonly string[];
  readonly parameters: number;
  readonly steps: number;
  readonly epochs: number;
  /** Of the last evaluation by the validation images; null where there are none. */
  readonly val: SplitFigures | null;
  /** Of the last weights. */
  readonly test: SplitFigures | null;
  readonly best: BestSummary | null;
  /** Resumptions added up. */
  readonly wallSeconds: number;
  /** Training images a second, all time included. */
  readonly imagesPerSecond: number;
  readonly checkpoint: string | null;
  /** SHA-256 over all weights of the newest checkpoint since the last start. */
  readonly weightDigest: string | null;
}

export interface SummaryInput {
  readonly manifest: Manifest;
  readonly layout: ParameterLayout;
  readonly progress: TrainingProgress;
  /** The run ended on purpose, not with an error. */
  readonly completed: boolean;
  readonly reason: string;
  readonly checkpoints: CheckpointKeeper;
  readonly seconds: number;
}

function figuresOf(totals: Totals | null): SplitFigures | null {
  return totals && { loss: meanLoss(totals), accuracy: accuracy(totals), samples: totals.samples };
}

/** @throws RUN_WRITE_FAILED */
export async function writeSummary(
  disk: Disk,
  config: RunConfig,
  input: SummaryInput,
  wait: DiskWait,
): Promise<RunSummary> {
  const { manifest, layout, progress, completed, reason, checkpoints, seconds } = input;
  const { state, evaluation, final } = progress;
  const chosenBy = choosingSplit(manifest);
  const confused = (final?.last ?? evaluation)?.confusion;
  const samples = manifest.train.samples.length;
  const perEpoch = stepsPerEpoch(samples, config.batch);
  const trained = Math.floor(state.step / perEpoch) * samples + (state.step % perEpoch) * config.batch;
  const summary: RunSummary = {
    reason,
    completed,
    config,
    classes: manifest.classes,
    parameters: layout.length,
    steps: state.step,
    epochs: state.step / perEpoch,
    val: chosenBy === 'val' ? figuresOf(evaluation) : null,
    test: figuresOf(chosenBy === 'val' ? (final?.last ?? null) : evaluation),
    best: state.best && { ...state.best, chosenBy, test: figuresOf(final?.best ?? null) },
    confusion: confused?.confusion ?? null,
    mistakes: confused?.mistakes ?? [],
    weakestClasses: confused?.weakestClasses ?? [],
    wallSeconds: seconds,
    imagesPerSecond: trained / seconds,
    checkpoint: checkpoints.last?.path ?? null,
    weightDigest: checkpoints.last?.digest ?? null,
  };
  await writeRunFile(disk, join(config.out, SUMMARY_FILE), `${JSON.stringify(summary, null, 2)}\n`, wait);
  return summary;
}

/** The summary that a run folder holds, null for none. */
export async function readSummary(disk: Disk, runDir: string): Promise<RunSummary | null> {
  try {
    return JSON.parse(await disk.readText(join(runDir, SUMMARY_FILE))) as RunSummary;
  } catch {
    return null;
  }
}
