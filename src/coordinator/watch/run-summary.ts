/** Writes the run folder's `summary.json`. */
import { join } from 'node:path';
import type { RunConfig } from '../../run/config/schema.js';
import { choosingSplit, type Manifest } from '../../run/dataset/manifest.js';
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import type { CheckpointKeeper } from '../checkpoint-keeper.js';
import type { Host } from '../../host/host.js';
import type { DiskWait } from '../../host/disk-space.js';
import { writeRunFile } from '../../run/folder/run-file.js';
import { figuresOf, SUMMARY_FILE, type RunSummary, type SplitFigures } from '../../run/folder/run-summary.js';
import type { Totals } from '../../run/journal/run-state.js';
import { stepsPerEpoch } from '../step/sampling.js';
import type { TrainingProgress } from '../trainer.js';

export interface SummaryInput {
  readonly manifest: Manifest;
  readonly layout: ParameterLayout;
  readonly progress: TrainingProgress;
  /** Whether the run ended without an error. */
  readonly completed: boolean;
  readonly reason: string;
  readonly checkpoints: CheckpointKeeper;
  readonly seconds: number;
}

function figuresIfAny(totals: Totals | null): SplitFigures | null {
  return totals && figuresOf(totals);
}

/** @throws RUN_WRITE_FAILED */
export async function writeSummary(
  host: Host,
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
    val: chosenBy === 'val' ? figuresIfAny(evaluation) : null,
    test: figuresIfAny(chosenBy === 'val' ? (final?.last ?? null) : evaluation),
    best: state.best && { ...state.best, chosenBy, test: figuresIfAny(final?.best ?? null) },
    confusion: confused?.confusion ?? null,
    mistakes: confused?.mistakes ?? [],
    weakestClasses: confused?.weakestClasses ?? [],
    wallSeconds: seconds,
    imagesPerSecond: trained / seconds,
    checkpoint: checkpoints.last?.path ?? null,
    weightDigest: checkpoints.last?.digest ?? null,
  };
  await writeRunFile(host, join(config.out, SUMMARY_FILE), `${JSON.stringify(summary, null, 2)}\n`, wait);
  return summary;
}
